#!/usr/bin/env python3
"""rtp-load as a process: rtp_load_test.py PATH_OF_RTP_LOAD."""

import json
import resource
import subprocess
import sys
import unittest

PROGRAM = ""
CALLERS = 60


class RtpLoad(unittest.TestCase):
    def test_callers_are_not_as_few_as_the_soft_limit_of_files(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with subprocess.Popen([PROGRAM, "--callers", str(CALLERS), "--talkers", "0"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))) as load:
            ports, complaint = load.communicate("", timeout=60)
        self.assertIn("[", ports, complaint)
        self.assertEqual(len(set(json.loads(ports))), CALLERS)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
