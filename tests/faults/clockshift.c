/* Preloaded, it moves the wall clock of one process by the seconds that the file named in
   FAULTS_CLOCK holds; the monotonic clock stays as it is.  gcc -shared -fPIC -O2. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long shift_ns(void)
{
    char text[64];
    const char *path = getenv("FAULTS_CLOCK");
    long handle = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (handle < 0)
        return 0;
    long count = syscall(SYS_read, handle, text, sizeof text - 1);
    syscall(SYS_close, handle);
    text[count > 0 ? count : 0] = 0;
    return atoll(text) * 1000000000LL;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        long long now_ns = at->tv_sec * 1000000000LL + at->tv_nsec + shift_ns();
        at->tv_sec = now_ns / 1000000000LL;
        at->tv_nsec = now_ns % 1000000000LL;
    }
    return failed;
}

int gettimeofday(struct timeval *at, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) {
        at->tv_sec = now.tv_sec;
        at->tv_usec = now.tv_nsec / 1000;
    }
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}
