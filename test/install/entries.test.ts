import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Pod } from 'kubernetes-types/core/v1.js';
import { ENTRIES, type Installation, markOfEntry, podOf, withCronEntry } from '../../src/install/entries.ts';

const installation: Installation = {
  name: 'My Web',
  program: '/opt/a b/watchdog',
  args: ['--pattern', '^node "x" $', '--recover', "echo '100%' \\ é"],
  directory: '/srv/it is',
  path: '/usr/bin:/bin',
  isNotifying: true,
  version: '1.2.3',
};

test('a pod is one by the types of Kubernetes, and its YAML says the same', () => {
  // That it compiles is the first half of the test.
  const pod: Pod = podOf(installation);
  assert.equal(pod.spec?.shareProcessNamespace, true);
  const yaml = ENTRIES.kubernetes(installation);
  const python = `import sys, json\ntry:\n import yaml\nexcept ImportError:\n sys.exit(42)\nprint(json.dumps(yaml.safe_load(sys.stdin)))`;
  const read = spawnSync('python3', ['-c', python], { input: yaml, encoding: 'utf8' });
  if (read.status === 0) assert.deepEqual(JSON.parse(read.stdout), pod);
  assert.equal(
    yaml,
    `# Put your own images and name where it says so; that of the second has watchdog 1.2.3 in it.
apiVersion: "v1"
kind: "Pod"
metadata:
  name: "my-web"
spec:
  shareProcessNamespace: true
  containers:
    - name: "app"
      image: "YOUR-IMAGE"
    - name: "watchdog"
      image: "YOUR-IMAGE-WITH-WATCHDOG"
      command:
        - "/usr/local/bin/watchdog"
      args:
        - "--pattern"
        - "^node \\"x\\" $"
        - "--recover"
        - "echo '100%' \\\\ é"
      securityContext:
        capabilities:
          add:
            - "KILL"
            - "SYS_PTRACE"
      livenessProbe:
        exec:
          command:
            - "/usr/local/bin/watchdog"
            - "events"
        periodSeconds: 60
`,
  );
});

test('a line of a crontab comes out of the shell as it went in', () => {
  const [mark = '', line = ''] = ENTRIES.cron({
    ...installation,
    program: '/usr/bin/printf',
    args: ['%s|', ...installation.args],
    directory: '/',
  }).split('\n');
  assert.equal(mark, markOfEntry('My Web'));
  const command = line.replace('@reboot ', '').replaceAll('\\%', '%');
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  assert.equal(stdout, `${installation.args.join('|')}|`);
});

test('a crontab has the entry once, where it was, and without it is as before', () => {
  const before = 'A=1\n* * * * * true\n';
  const entry = ENTRIES.cron(installation);
  const once = withCronEntry(before, 'My Web', entry);
  assert.equal(once, before + entry);
  assert.equal(withCronEntry(once, 'My Web', entry), once);
  const between = `${entry}0 0 * * * later\n`;
  const changed = withCronEntry(between, 'My Web', ENTRIES.cron({ ...installation, args: [] }));
  assert.ok(changed.startsWith(markOfEntry('My Web')) && changed.endsWith('0 0 * * * later\n') && changed !== between);
  assert.equal(withCronEntry(once, 'My Web', null), before);
  assert.equal(withCronEntry(before, 'My Web', null), before);
  assert.equal(withCronEntry(entry, 'My Web', null), '');
});

test('words for systemd are quoted, and nothing in them is filled in', () => {
  const unit = ENTRIES.systemd(installation);
  assert.ok(
    unit.includes(`\nExecStart="/opt/a b/watchdog" --pattern "^node \\"x\\" $$" --recover "echo '100%%' \\\\ é"\n`),
  );
});
