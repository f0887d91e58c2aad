/* A client from docs/bus.md and zmq.h alone: prints what it missed, then what it hears.
 *
 *     listener LIVE REPLAY COUNT [SERVER_KEY PUBLIC_KEY SECRET_KEY]
 *
 * prints the first page after number 0, then COUNT live messages of events, one JSON a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of zmq.h, version 4: there may be a library without it. */
enum { ZMQ_SUB = 2, ZMQ_REQ = 3, ZMQ_SUBSCRIBE = 6, ZMQ_LINGER = 17, ZMQ_RCVTIMEO = 27,
       ZMQ_CURVE_PUBLICKEY = 48, ZMQ_CURVE_SECRETKEY = 49, ZMQ_CURVE_SERVERKEY = 50 };
void *zmq_ctx_new(void);
int zmq_ctx_term(void *);
void *zmq_socket(void *, int);
int zmq_close(void *);
int zmq_setsockopt(void *, int, const void *, size_t);
int zmq_connect(void *, const char *);
int zmq_send(void *, const void *, size_t, int);
int zmq_recv(void *, void *, size_t, int);

static char page[4 << 20];

static void *connected(void *context, int kind, const char *endpoint, int argc, char **argv)
{
    void *socket = zmq_socket(context, kind);
    int none = 0, patience_ms = 20000;
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    if (argc == 7) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, argv[4], strlen(argv[4]));
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, argv[5], strlen(argv[5]));
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, argv[6], strlen(argv[6]));
    }
    if (kind == ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "kilokai.v1.event.", 17);
    if (zmq_connect(socket, endpoint) != 0)
        exit(2);
    return socket;
}

static void print(void *socket)
{
    int size = zmq_recv(socket, page, sizeof page, 0);
    if (size < 0)
        exit(3);
    printf("%.*s\n", size, page);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();
    void *live = connected(context, ZMQ_SUB, argv[1], argc, argv);
    void *replay = connected(context, ZMQ_REQ, argv[2], argc, argv);
    const char *request = "{\"epoch\": null, \"since\": 0}";
    zmq_send(replay, request, strlen(request), 0);
    print(replay);
    for (int k = 0; k < atoi(argv[3]); k++) {
        zmq_recv(live, page, sizeof page, 0); /* the topic */
        print(live);
    }
    zmq_close(live);
    zmq_close(replay);
    return zmq_ctx_term(context);
}
