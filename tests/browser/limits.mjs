// The limits example in a real browser: every button is pressed, every limit is met, and the page says
// what the server did. Run by `tests/browser/run`; LIMITS_SERVER names the server's command.

import { SIZES, act, drive, pictures } from './drive.mjs';
import { eventually, same } from './lib.mjs';

const LIMIT = 150_000; // ms for the whole run
const ROOM = 6, PER_IP = 15, MESSAGES = 30, CONNECTIONS = 60;
const SETTINGS = `--room ${ROOM} --per-ip ${PER_IP} --messages ${MESSAGES}/30s --connections ${CONNECTIONS}/12s --timeout 2s --beat 250ms`;

/** One who presses buttons: a page, and how many sockets it opened. */
class Visitor {
  constructor(page) {
    Object.assign(this, { page, sockets: [], faults: [] });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', error => this.faults.push(error.message));
    page.on('websocket', socket => this.sockets.push(socket.url()));
  }

  at(id) { return this.page.getByTestId(id); }
  told(card) { return this.at(`${card}-told`).textContent(); }
  count(selector) { return this.page.locator(selector).count(); }
  log() { return this.page.locator('#log p').allTextContents(); }
  says(card, text) { return eventually(`what the page says of ${card}`, () => this.told(card), text); }
  matches(card, pattern) { return eventually(`what the page says of ${card} (${pattern})`, async () => { const told = await this.told(card); return pattern.test(told) || told; }, true); }
  online() { return eventually('the page watches', () => this.at('state').textContent(), 'Watching'); }
}

async function fits({ page }) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    same(`on a ${size} it overflows by`, await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth), 0);
    const cut = await page.evaluate(() => [...document.querySelectorAll('.card')].filter(card => card.scrollWidth > card.clientWidth + 1 || card.scrollHeight > card.clientHeight + 1).map(card => card.getAttribute('aria-label')));
    same(`on a ${size} these cards are cut`, cut, []);
  }
  await page.setViewportSize(SIZES.desktop);
}

function scenarios({ ada, server, origin }) {
  return {
    async 'the page shows what is allowed'() {
      await ada.page.goto(origin);
      await ada.online();
      await eventually('where Ada comes from', () => ada.at('you').textContent(), '127.0.0.1');
      for (const [id, start] of Object.entries({ messages: `${MESSAGES} in 30 s`, room: `${ROOM} in a room`, here: `${PER_IP} from one`, often: `${CONNECTIONS} in 12 s`, time: '2 s', beat: 'A ping every 250 ms' })) {
        const text = await ada.page.locator(`#${id}-limit`).textContent();
        same(`${id} begins with ${start}`, text.startsWith(start) || text, true);
      }
    },
    async 'a flood is refused from some message on, and the socket stays open'() {
      await ada.at('one').click();
      await ada.says('messages', '1 came back. The socket is still open.');
      await ada.at('flood').click();
      await ada.matches('messages', /^(29|3\d) came back, (1\d|2[01]) were refused: “Rate limit exceeded”\. The socket is still open\.$/);
      const [passed, refused] = [await ada.count('#shots .passed'), await ada.count('#shots .refused')];
      same('one square for each message', passed + refused, MESSAGES + 20);
      same('most of what is allowed passed', passed >= MESSAGES - 1 && passed < MESSAGES + 5, true);
      same('all over one socket', ada.sockets.filter(url => url.includes('/robust/')).length, 1);
      await ada.at('one').click();
      await ada.matches('messages', /^0 came back, 1 were refused|^1 came back/);
      await eventually('after a while one passes again', async () => { await ada.at('one').click(); return ada.told('messages'); }, '1 came back. The socket is still open.');
    },
    async 'a room fills up, refuses one more, and has places again'() {
      await ada.at('sit').click();
      await ada.says('room', 'Seat 1 taken');
      same('one seat is hers', await ada.count('#seats .mine'), 1);
      await ada.at('fill').click();
      await ada.says('room', 'Room is full');
      same('all seats are hers', [await ada.count('#seats .mine'), await ada.count('#seats i')], [ROOM, ROOM]);
      await eventually('the close code came', async () => (await ada.log()).includes('Room is full: closed with 1013'), true);
      await ada.at('stand').click();
      await ada.says('room', `Left ${ROOM} seats`);
      await eventually('the seats are free', () => ada.count('#seats .mine, #seats .taken'), 0);
      await ada.at('sit').click();
      await ada.says('room', 'Seat 1 taken');
      await ada.at('stand').click();
    },
    async 'one address has only so many sockets at a time'() {
      await ada.at('open-all').click();
      await ada.matches('here', /^\d+ opened, then 429: it has as many as it may$/);
      await eventually('the gauge is full', () => ada.at('here').textContent(), `${PER_IP} of ${PER_IP}`);
      same('and red', await ada.page.locator('#here-gauge').getAttribute('data-full'), 'true');
      await ada.at('close-all').click();
      await eventually('the gauge falls', async () => Number.parseInt(await ada.at('here').textContent(), 10) <= 3, true);
    },
    async 'who connects too often waits'() {
      await ada.at('often').click();
      await ada.matches('often', /^\d+ opened, then 429: too many in too short a time$/);
      const left = await ada.at('often-left').textContent();
      same('next to nothing is left', /^about [0-9] left$/.test(left) || left, true);
      await eventually('and then a seat can be had', async () => { await ada.at('sit').click(); return ada.told('room'); }, 'Seat 1 taken');
      await ada.at('stand').click();
      await eventually('the server counted', async () => (await ada.at('codes').textContent()).includes('connection rate × '), true);
    },
    async 'an address on the list is refused, and another is not'() {
      await ada.at('knock').click();
      await ada.says('address', '203.0.113.7 was refused with 403');
      await ada.at('address').fill('198.51.100.7');
      await ada.page.keyboard.press('Enter');
      await ada.says('address', '198.51.100.7 may come in');
      await ada.at('address').fill('<img src=x onerror="window.hacked = true">');
      await ada.page.keyboard.press('Enter');
      await ada.says('address', 'The server takes us for 127.0.0.1: it trusts no proxy here');
      same('nothing ran', await ada.page.evaluate(() => [window.hacked, document.images.length]), [undefined, 0]);
    },
    async 'a connection ends after its time, and does not come back'() {
      await ada.at('time').click();
      await ada.says('time', 'Open');
      await eventually('it counts down', async () => /^[01]\.\d s left$/.test(await ada.at('time-left').textContent()), true);
      await ada.says('time', 'Closed with 1000 Connection timeout');
      const sockets = ada.sockets.length;
      await ada.page.waitForTimeout(1_500);
      same('no socket was opened since', ada.sockets.length, sockets);
      same('and the page says so', await ada.at('time-left').textContent(), 'not open');
    },
    async 'a heartbeat is shown beat by beat'() {
      await ada.at('beat').click();
      await eventually('three beats', async () => await ada.count('#beats i') >= 3, true);
      same('with a time', /^beat \d+: \d+\.\d ms$/.test(await ada.at('beat-last').textContent()), true);
      await ada.at('beat').click();
      await ada.says('beat', 'Closed with 1000 ');
    },
    async 'the server dies and comes back: the page watches again by itself'() {
      await server.stop();
      await eventually('Ada sees it', () => ada.at('banner').isVisible(), true);
      await server.start();
      await ada.online();
      await eventually('the counters began again', async () => Number(await ada.at('accepted').textContent()) < 5, true);
    },
    async 'the page fits both sizes'() { await fits(ada); },
    async 'no page raised an error'() { same('faults', ada.faults, []); },
  };
}

async function takePictures(visitor, folder) {
  const { page } = visitor;
  await visitor.at('sit').click();
  await visitor.at('sit').click();
  await visitor.at('flood').click();
  await visitor.matches('messages', /refused/);
  await visitor.at('fill').click();
  await visitor.says('room', 'Room is full');
  await visitor.at('beat').click();
  await page.waitForTimeout(6_000);
  await visitor.at('address').fill('203.0.113.7');
  await visitor.at('knock').click();
  await visitor.at('flood').click();
  await visitor.matches('messages', /refused/);
  await visitor.at('time').click();
  await visitor.at('open-all').click();
  await visitor.matches('here', /429/);
  await page.waitForTimeout(400);
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}limits-${size}-${colorScheme}.png` });
    }
    await page.screenshot({ path: `${folder}limits-${size}-whole.png`, fullPage: true });
  }
}

async function run(browser, server) {
  const origin = `http://127.0.0.1:${server.port}/`;
  const ada = new Visitor(await (await browser.newContext({ viewport: SIZES.desktop, locale: 'en-GB' })).newPage());
  await act(scenarios({ ada, server, origin }));
  await pictures(folder => takePictures(ada, folder));
}

await drive('limits', LIMIT, run, SETTINGS.split(' '));
