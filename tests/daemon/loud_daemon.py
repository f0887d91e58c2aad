"""`python -m tests.daemon.loud_daemon` is `kilokai`, but for its scores: they need no model."""

import detector
from daemon.cli import main
from tests.daemon.fakes import LoudnessScorer

detector.load_model = lambda *_, **__: LoudnessScorer()  # type: ignore[assignment]

if __name__ == "__main__":
    main()
