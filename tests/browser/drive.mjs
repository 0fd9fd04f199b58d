// The frame of every browser test: the example's server, Chromium, the scenarios one by one, pictures
// for people to look at, and an end that leaves nothing running.

import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { Server, freePort, within } from './lib.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** What every page must look well on. */
export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Runs scenarios in their order; the first that fails ends the test, under its name. */
export async function act(scenarios, ...given) {
  for (const [name, scenario] of Object.entries(scenarios)) {
    await scenario(...given).catch(error => { throw new Error(`${name}: ${error.message}`); });
    console.log(`ok - ${name}`);
  }
}

/** Has `take` put its pictures into the folder for them. */
export async function pictures(take) {
  const folder = process.env.SCREENSHOTS ?? new URL('screenshots/', import.meta.url).pathname;
  await mkdir(folder, { recursive: true });
  await take(folder);
  console.log(`ok - pictures in ${folder}`);
}

/**
 * Starts the example of that name, and runs `test(browser, server)` against it, within `limit` ms. NAME_SERVER replaces
 * the server's command, which is given `words` and an address; the server must end well at SIGTERM.
 */
export async function drive(name, limit, test, words = []) {
  const program = process.env[`${name.toUpperCase()}_SERVER`] ?? new URL(`../../target/release/examples/${name}`, import.meta.url).pathname;
  const server = new Server([program, ...words].join(' '), await freePort());
  let browser;
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { server.kill(); process.exit(1); });
  try {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });
    await server.start();
    await within(limit, 'the whole test', test(browser, server));
    await server.stop();
  } catch (error) {
    console.error(`FAILED - ${error.message}`);
    if (server.log) console.error(`--- the server said:\n${server.log}`);
    process.exitCode = 1;
  } finally {
    server.kill();
    await within(10_000, 'the browser to close', browser?.close() ?? Promise.resolve()).catch(error => console.error(error.message));
    process.exit();
  }
}
