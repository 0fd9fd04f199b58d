// The dashboard example in a real browser: charts move, an order placed in one window appears in
// another, subscriptions, and a server that dies and comes back. Run by `tests/browser/run`;
// DASHBOARD_SERVER names the server's command.

import { SIZES, act, drive, pictures } from './drive.mjs';
import { eventually, same } from './lib.mjs';

const LIMIT = 150_000; // ms for the whole run
const METRICS = ['cpu', 'memory', 'connections', 'messages'];

/** One who looks: a page in a context of its own, and every frame its socket received. */
class Viewer {
  constructor(name, page) {
    Object.assign(this, { name, page, heard: [], sockets: 0, faults: [] });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', error => this.faults.push(error.message));
    page.on('websocket', socket => {
      this.sockets += 1;
      socket.on('framereceived', ({ payload }) => { try { this.heard.push(JSON.parse(payload)); } catch { /* a ping */ } });
    });
  }

  at(id) { return this.page.getByTestId(id); }
  curve(name) { return this.at(`curve-${name}`).getAttribute('d'); }
  value(name) { return this.at(`value-${name}`).textContent(); }
  /** Numbers between the points of a curve and its right end. */
  async points(name) { return ((await this.curve(name)) ?? '').split(/[MLH]/).length - 1; }
  heardOf(type) { return this.heard.filter(message => message.type === type); }
  rows() { return this.at('order-row').evaluateAll(all => all.map(one => ['b', '.total', '.chip'].map(part => one.querySelector(part).textContent))); }
  online() { return eventually(`${this.name} is online`, () => this.at('state').textContent(), 'Live'); }

  /** Fills the form with the keyboard. */
  async order(item, quantity, price) {
    await this.at('item').focus();
    for (const [text, key] of [[item, 'Tab'], [quantity, 'Tab'], [price, 'Enter']]) {
      await this.page.keyboard.press('Control+A');
      await this.page.keyboard.type(String(text));
      await this.page.keyboard.press(key);
    }
  }
}

/** Nothing reaches beyond the window. */
async function fits({ page }, what) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    same(`what is too wide in ${what} on a ${size}`, await page.evaluate(() => [...document.querySelectorAll('body *:not(svg *)')]
      .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + .5).map(one => one.outerHTML.slice(0, 80))), []);
    same(`${what} on a ${size} overflows by`, await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth), 0);
  }
  await page.setViewportSize(SIZES.desktop);
}

function scenarios({ ada, brook, server, origin }) {
  const isLinux = process.platform === 'linux';
  return {
    async 'whoever comes sees values at once'() {
      await ada.page.goto(origin);
      await ada.online();
      await brook.page.goto(origin);
      await brook.online();
      await eventually('connections at Ada', () => ada.value('connections'), '2open');
      if (isLinux) await eventually('memory in MiB', async () => /^\d+\.\d\dMiB$/.test(await ada.value('memory')), true);
    },
    async 'the charts move'() {
      for (const name of METRICS) {
        await eventually(`${name} has a curve`, async () => await ada.points(name) >= (isLinux || name === 'connections' ? 2 : 0), true);
        const before = await ada.curve(name);
        await eventually(`${name} goes on`, async () => await ada.curve(name) !== before, true);
      }
      const places = await ada.page.evaluate(async () => {
        const curve = document.querySelector('[data-testid=curve-cpu]').parentElement, seen = new Set();
        for (let frame = 0; frame < 40; frame += 1) {
          await new Promise(requestAnimationFrame);
          seen.add(curve.getAttribute('transform'));
        }
        return seen.size;
      });
      same('smoothly, between the values too', places > 20, true);
      await eventually('the time goes on', async () => /^\d+ s$/.test(await ada.at('uptime').textContent()), true);
    },
    async 'what is drawn is what was told'() {
      await eventually('the last value of connections', async () => {
        const told = ada.heardOf('metrics_update').at(-1).data.connections;
        return [`${told}open`, await ada.value('connections')];
      }, ['2open', '2open']);
      if (isLinux) await eventually('the last of memory', async () => {
        const told = ada.heardOf('metrics_update').at(-1).data.memory / 1024 / 1024;
        return Math.abs(Number.parseFloat(await ada.value('memory')) - told) < .006;
      }, true);
    },
    async 'the round trip is shown'() {
      await eventually('latency', async () => /^[\d.]+ ms$/.test(await ada.at('latency').textContent()), true);
    },
    async 'a pointer on a chart shows what was then'() {
      const box = await ada.page.locator('[data-testid=card-connections] .chart').boundingBox();
      await ada.page.mouse.move(box.x + box.width - 60, box.y + box.height / 2);
      await eventually('a time', async () => /open at /.test(await ada.value('connections')), true);
      await ada.page.mouse.move(0, 0);
      await eventually('and back', () => ada.value('connections'), '2open');
    },
    async 'who subscribes to a metric hears it four times a second, and nobody else does'() {
      const pressed = () => ada.at('detail-connections').getAttribute('aria-pressed');
      await ada.at('detail-connections').click();
      await eventually('it is on', pressed, 'true');
      await eventually('values come', async () => ada.heardOf('metric_update').length >= 4, true);
      same('of that metric', new Set(ada.heardOf('metric_update').map(({ metric }) => metric)), new Set(['connections']));
      same('Brook hears none', brook.heardOf('metric_update'), []);
      await ada.at('detail-connections').click();
      await eventually('it is off', pressed, 'false');
      const count = ada.heardOf('metric_update').length, seconds = ada.heardOf('metrics_update').length;
      await eventually('a second passes', async () => ada.heardOf('metrics_update').length >= seconds + 2, true);
      same('no more of them came', ada.heardOf('metric_update').length, count);
    },
    async 'an order placed in one window appears in the other'() {
      await ada.order('Green tea', 3, '4.25');
      for (const one of [ada, brook]) await eventually(`orders at ${one.name}`, () => one.rows(), [['Green tea', '12.75', 'new']]);
      same('the form is empty again', await ada.at('item').inputValue(), '');
    },
    async 'an order over plain HTTP appears as well, and its text stays text'() {
      const attack = '<img src=x onerror="window.hacked = true">';
      const answer = await fetch(`${origin}api/orders`, { method: 'POST', body: JSON.stringify({ item: attack, quantity: 1, price: 1 }) });
      same('status', answer.status, 201);
      same('the answer is the order', (await answer.json()).item, attack);
      for (const one of [ada, brook]) {
        await eventually(`orders at ${one.name}`, async () => (await one.rows()).map(([item]) => item), [attack, 'Green tea']);
        same('nothing ran', await one.page.evaluate(() => [window.hacked, document.querySelectorAll('.order img').length]), [undefined, 0]);
      }
    },
    async 'what the server refuses is explained'() {
      await ada.page.evaluate(() => document.getElementById('place').setAttribute('novalidate', ''));
      await ada.order('Tea', 0, '1');
      await eventually('why', () => ada.at('why').textContent(), 'quantity must be a whole number from 1 to 1000');
      same('no order more', (await brook.rows()).length, 2);
      same('nothing is lost', await ada.at('item').inputValue(), 'Tea');
      await ada.at('item').fill('');
    },
    async 'orders are moved on in bulk, for everyone'() {
      for (const box of await brook.page.locator('.order input').all()) await box.check();
      await brook.at('bulk-status').selectOption('shipped');
      await brook.at('bulk-apply').click();
      for (const one of [ada, brook]) await eventually(`status at ${one.name}`, async () => (await one.rows()).map(([, , status]) => status), ['shipped', 'shipped']);
      await eventually('Brook is told', () => brook.at('toast').textContent(), '2 changed');
      same('nothing is chosen any more', await brook.page.locator('#bulk').isVisible(), false);
    },
    async 'who comes later sees what was'() {
      await ada.page.reload();
      await ada.online();
      await eventually('orders', async () => (await ada.rows()).length, 2);
      same('and the last minute', await ada.points('connections') > 3, true);
      await fits(ada, 'the dashboard');
    },
    async 'the server dies and comes back: everyone is told, and the charts go on'() {
      await ada.at('detail-memory').click();
      await eventually('it is on', () => ada.at('detail-memory').getAttribute('aria-pressed'), 'true');
      await server.stop();
      for (const one of [ada, brook]) await eventually(`${one.name} is told`, () => one.at('banner').isVisible(), true);
      await ada.order('Tea', 1, '1');
      await eventually('an order is not lost in silence', () => ada.at('why').textContent(), 'The server cannot be reached.');
      await server.start();
      for (const one of [ada, brook]) await one.online();
      await eventually('connections', () => brook.value('connections'), '2open');
      const count = ada.heardOf('metric_update').length;
      await eventually('Ada has subscribed again', async () => ada.heardOf('metric_update').length > count + 2, true);
      same('the new server knows no orders', await ada.rows(), []);
    },
    async 'no page raised an error'() {
      for (const { name, faults } of [ada, brook]) same(`faults at ${name}`, faults, []);
    },
  };
}

/** Pictures for people to look at, after a little of everything: desktop and phone, light and dark. */
async function takePictures(enter, origin, folder) {
  const ada = await enter('Ada'), goods = ['Green tea', 'Espresso beans, 1 kg', 'Oat milk', 'Cups, set of six', 'Kettle'];
  await ada.page.goto(origin);
  await ada.online();
  for (const [index, item] of goods.entries()) await ada.order(item, index + 1, (2.5 * (index + 1)).toFixed(2));
  await eventually('orders', async () => (await ada.rows()).length, goods.length);
  await ada.page.evaluate(async () => {
    for (const [id, status] of [[1, 'shipped'], [2, 'packed'], [3, 'cancelled']]) {
      const socket = new WebSocket(`ws://${location.host}/dashboard`);
      await new Promise(resolve => { socket.onopen = resolve; });
      socket.send(JSON.stringify({ type: 'bulk_update', items: [{ id, status }] }));
      window.guests = [...(window.guests ?? []), socket];
    }
    // Some work, so that there is something to see.
    for (let round = 0; round < 18; round += 1) {
      for (let count = 0; count < 40 * (round % 6); count += 1) window.guests[0].send('{"type":"bulk_update","items":[]}');
      await new Promise(resolve => setTimeout(resolve, 1000));
      if (round === 8 || round === 13) window.guests.pop().close();
    }
  });
  await ada.at('detail-cpu').click();
  await ada.page.locator('.order input').nth(1).check();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await ada.page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await ada.page.emulateMedia({ colorScheme });
      await ada.page.screenshot({ path: `${folder}dashboard-${size}-${colorScheme}.png` });
    }
    await ada.page.screenshot({ path: `${folder}dashboard-${size}-whole.png`, fullPage: true });
  }
}

async function run(browser, server) {
  const origin = `http://127.0.0.1:${server.port}/`;
  const enter = async name => new Viewer(name, await (await browser.newContext({ viewport: SIZES.desktop, locale: 'en-GB' })).newPage());
  const people = { ada: await enter('Ada'), brook: await enter('Brook') };
  await act(scenarios({ ...people, server, origin }));
  await pictures(folder => takePictures(enter, origin, folder));
}

await drive('dashboard', LIMIT, run);
