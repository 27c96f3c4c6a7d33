import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOfCommand } from '../../src/core/command-files.ts';

test('what a command runs: programs by their paths, and scripts of interpreters', () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['node my.js start', ['my.js']],
    ['/usr/bin/node --inspect=0 /srv/my.js', ['/usr/bin/node', '/srv/my.js']],
    ['nginx', []],
    ['./start.sh', ['./start.sh']],
    ['FOO=1 exec nice -n 5 /opt/app/run --log /var/log/app.log', ['/opt/app/run']],
    ['cd /srv && ./a; "/opt/my app/b" | sh c.sh &', ['./a', '/opt/my app/b', 'c.sh']],
    ["bash -c 'rm -rf /tmp/x'", []],
    ['sudo -u app node /srv/x.js', ['/srv/x.js']],
    ['timeout 60 python3 -u job.py', ['job.py']],
    ['$HOME/bin/start', []],
    ['service nginx start', []],
    ['', []],
  ];
  for (const [command, files] of rows) assert.deepEqual(filesOfCommand(command), files, command);
});
