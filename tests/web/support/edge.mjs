/* An edge of its own for a test: starts web-edge (edge/edge.c), which ends with the test, and speaks
 * to it line by line. */
import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const bin = process.env.MUP_BIN ?? path.join(root, 'build/host/bin');
const run = promisify(execFile);

export class Edge {
  constructor() {
    this.child = spawn(path.join(bin, 'web-edge'), [bin], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.waiting = [];
    this.lines = readline.createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => this.waiting.shift()?.resolve(JSON.parse(line)));
    this.child.on('exit', () =>
      this.waiting.splice(0).forEach(({ reject }) => reject(new Error('web-edge has ended')))
    );
  }

  next() {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
  }

  /** Its answer; throws when it failed. */
  async tell(...words) {
    this.child.stdin.write(`${words.join(' ')}\n`);
    const answer = await this.next();
    if (answer.failed) {
      throw new Error(`web-edge could not: ${words.join(' ')}`);
    }
    return answer;
  }

  async begin() {
    Object.assign(this, await this.next());
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  /** The vendor's mup command, with its keys in the edge's folder. */
  async mup(...words) {
    return (await run(path.join(bin, 'mup'), words, { cwd: this.folder })).stdout;
  }

  /** Somebody else who may log in; the password. */
  async addUser(name, role) {
    const { stdout } = await run(path.join(bin, 'mup-server'), [
      '--config',
      path.join(this.folder, 'server.conf'),
      '--add-user',
      name,
      role,
    ]);
    return /^password +(\S+)/m.exec(stdout)[1];
  }

  /** As a program asks, with the token; the parsed answer. */
  async rest(method, where, body) {
    const { readFile } = await import('node:fs/promises');
    this.token ??= (await readFile(path.join(this.folder, 'token'), 'utf8')).trim();
    const response = await fetch(`${this.url}/api/v1${where}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${where}: ${response.status} ${text}`);
    }
    return text ? JSON.parse(text) : null;
  }

  /** Ends when the bridge has taken in so many devices. */
  async ready(count) {
    const deadline = Date.now() + 60000;
    for (;;) {
      const { devices } = await this.rest('GET', '/devices');
      if (devices.filter((device) => device.state === 'ready').length >= count) {
        return devices;
      }
      if (Date.now() > deadline) {
        throw new Error(`not ${count} devices are ready: ${JSON.stringify(devices)}`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  }

  /** A message at the broker, by somebody who may write everywhere. */
  publish(topic, text) {
    return run('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.broker_port),
      '-u',
      'eavesdropper',
      '-P',
      this.eavesdropper,
      '-q',
      '1',
      '-t',
      topic,
      '-m',
      text,
    ]);
  }

  async end() {
    if (this.child.exitCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => {
      this.child.on('exit', resolve);
    });
    this.child.stdin.end();
    await ended;
  }
}

/** A running edge; its devices and releases are the test's. */
export const startEdge = () => new Edge().begin();
