"""The command `autophagy` with suite `standard` at a toy size: for a process of its own, since
libraries read HF_ENDPOINT when they are imported.

    python -m tests.hub.toy_command '{"uoft-cs/cifar10": REVISION, ...}' run nothing ...
"""

import json
import sys

import torch

import benchmark.tasks.suites
from benchmark.commands.main import main
from benchmark.tasks.suites import Suite
from tests.hub.tiny import toys

if __name__ == "__main__":
    torch.set_num_threads(1)
    tasks = tuple(toys(json.loads(sys.argv.pop(1))).values())
    benchmark.tasks.suites._SUITES["standard"] = lambda: Suite("standard", "toy", tasks, (0,))
    main()
