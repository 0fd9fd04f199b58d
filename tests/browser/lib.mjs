// What the browser tests need beside the browser: an example's server as a child process,
// a cable that can be cut between a page and that server, and checks that wait and explain.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { isDeepStrictEqual, inspect } from 'node:util';

const PATIENCE = 15_000; // ms for anything that must happen by itself

/** A server, always on the same port, so that it can die and come back. */
export class Server {
  constructor(command, port) {
    [this.program, ...this.words] = command.split(/\s+/);
    this.port = port;
    this.log = '';
  }

  async start() {
    this.child = spawn(this.program, [...this.words, `127.0.0.1:${this.port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.gone = once(this.child, 'exit');
    this.gone.catch(() => {}); // a program that cannot be started is reported below
    const ready = new Promise((resolve, reject) => {
      let said = '';
      this.child.stdout.on('data', bytes => {
        said += bytes;
        this.log += bytes;
        if (said.includes(`listening on http://127.0.0.1:${this.port}`)) resolve();
      });
      this.child.stderr.on('data', bytes => { this.log += bytes; });
      this.child.once('error', reject);
      this.child.once('exit', code => reject(new Error(`the server ended early with ${code}:\n${this.log}`)));
    });
    await within(PATIENCE, 'the server to say that it listens', ready);
  }

  /** SIGTERM, and then it must end by itself. */
  async stop() {
    this.child.kill('SIGTERM');
    const [code, signal] = await within(PATIENCE, 'the server to end after SIGTERM', this.gone);
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal} after SIGTERM:\n${this.log}`);
  }

  kill() { this.child?.kill('SIGKILL'); }
}

/**
 * A TCP relay to the server that can be cut.
 * `mode` is `whole`, `cut` (nothing passes), `no-sockets` (pages load, WebSockets do not)
 * or `mute` (what the page sends arrives, what the server says does not).
 */
export class Cable {
  constructor(target) {
    this.target = target;
    this.mode = 'whole';
    this.ends = new Set();
    this.relay = net.createServer(page => this.#join(page));
  }

  async open() {
    this.relay.listen(0, '127.0.0.1');
    await once(this.relay, 'listening');
    this.port = this.relay.address().port;
  }

  /** Enters a mode; all but `whole` and `mute` also break what is connected. */
  set(mode) {
    this.mode = mode;
    if (mode === 'cut' || mode === 'no-sockets') this.ends.forEach(end => end.destroy());
  }

  close() { this.set('cut'); this.relay.close(); }

  #join(page) {
    if (this.mode === 'cut') return page.destroy();
    const server = net.connect(this.target, '127.0.0.1');
    for (const [end, other] of [[page, server], [server, page]]) {
      this.ends.add(end);
      end.on('error', () => {});
      end.on('close', () => { this.ends.delete(end); other.destroy(); });
    }
    page.on('data', bytes => this.#up(page, server, bytes));
    server.on('data', bytes => { if (this.mode !== 'mute') page.write(bytes); });
  }

  #up(page, server, bytes) {
    if (this.mode === 'no-sockets' && /upgrade: websocket/i.test(bytes.toString('latin1'))) return page.destroy();
    server.write(bytes);
  }
}

/** A port that was free a moment ago. */
export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Reads until `read()` equals `expected`; shows the last answer when it never does. */
export async function eventually(what, read, expected) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await read();
    if (isDeepStrictEqual(found, expected)) return;
    if (Date.now() > end) throw new Error(`${what}\n  expected ${inspect(expected)}\n  found    ${inspect(found)}`);
    await new Promise(resolve => setTimeout(resolve, 40));
  }
}

/** Compares now, without waiting. */
export function same(what, found, expected) {
  if (!isDeepStrictEqual(found, expected)) throw new Error(`${what}\n  expected ${inspect(expected)}\n  found    ${inspect(found)}`);
}

export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
