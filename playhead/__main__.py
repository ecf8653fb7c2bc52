"""`python -m playhead` is `playhead`, or one of the processes that it starts."""

import sys

if "--lifeline" in sys.argv:
    from playhead import child

    child.main(sys.argv[1:])
else:
    from playhead.cli import main

    main()
