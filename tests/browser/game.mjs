// The game example in a real browser: two windows play to a win and to a draw, a third one watches,
// one reloads in mid-game and one loses its line. Run by `tests/browser/run`; GAME_SERVER names the
// server's command.

import { SIZES, act, drive, pictures } from './drive.mjs';
import { Cable, eventually, same } from './lib.mjs';

const LIMIT = 150_000; // ms for the whole run
const ATTACK = '<img src=x onerror=window.hacked=1>'; // as a name, and as what is said
const WIN = [0, 1, 0, 1, 0, 1, 0]; // whoever begins wins
const DRAW = [0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 2, 3, 2, 3, 3, 2, 3, 2, 2, 3, 2, 3, 4, 5, 4, 5, 5, 4, 5, 4, 4, 5, 4, 5, 6, 6, 6, 6, 6, 6];

/** One person: a page in a context of its own. */
class Person {
  constructor(name, page) {
    Object.assign(this, { name, page, sockets: 0, faults: [] });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', error => this.faults.push(error.message));
    page.on('websocket', () => { this.sockets += 1; });
  }

  at(id) { return this.page.getByTestId(id); }
  status() { return this.at('status').textContent(); }
  score() { return this.at('score').textContent(); }
  discs() { return this.page.getByTestId('disc').evaluateAll(all => all.map(one => `${one.dataset.colour} ${one.dataset.place}`)); }
  players() { return this.page.locator('.player').evaluateAll(all => all.map(one => [...one.querySelectorAll('b, small')].map(text => text.textContent))); }
  messages() { return this.at('message').evaluateAll(all => all.map(one => [one.querySelector('b').textContent, one.lastChild.textContent])); }
  news() { return this.page.locator('.news').allTextContents(); }
  shows(status) { return eventually(`status at ${this.name}`, () => this.status(), status); }

  /** Types name and table into the form, from wherever the page put the focus. */
  async enter(origin, table) {
    await this.page.goto(origin);
    await this.page.keyboard.type(this.name);
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(table);
    await this.page.keyboard.press('Enter');
    await this.at('board').waitFor();
  }
  drop(column) { return this.at(`column-${column}`).click(); }
  async say(text) { await this.at('composer').focus(); await this.page.keyboard.type(text); await this.page.keyboard.press('Enter'); }
}

/** The two play in turns, each as soon as it is their turn. */
async function play(first, second, columns, discs) {
  for (const [turn, column] of columns.entries()) {
    await (turn % 2 ? second : first).drop(column);
    await eventually('discs at both', async () => [(await first.discs()).length, (await second.discs()).length], [discs + turn + 1, discs + turn + 1]);
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

function scenarios({ ada, brook, cleo, server, cable, origin, far }) {
  return {
    async 'the first two who come by typing into the form play'() {
      await ada.enter(far, 'lobby');
      await ada.shows('Waiting for somebody to play with');
      same('Ada may invite somebody', await ada.at('call').isVisible(), true);
      same('an own address for each table', await ada.page.evaluate(() => location.search), '?game=lobby');
      await brook.enter(origin, 'lobby');
      await ada.shows('Your turn');
      await brook.shows('Ada to move');
      for (const one of [ada, brook]) await eventually(`names at ${one.name}`, async () => (await one.players()).map(([name]) => name), ['Ada', 'Brook']);
      await eventually('Ada sees Brook come', () => ada.news(), ['Brook sits down']);
    },
    async 'only whose turn it is can press a column'() {
      const enabled = one => one.page.locator('.columns button:enabled').count();
      await eventually('columns', async () => [await enabled(ada), await enabled(brook)], [7, 0]);
      await ada.drop(3);
      await brook.shows('Your turn');
      await eventually('columns', async () => [await enabled(ada), await enabled(brook)], [0, 7]);
      same('where it lies', await brook.discs(), ['red 5,3']);
    },
    async 'keys play as well as a mouse'() {
      await brook.page.locator('body').press('4');
      await ada.shows('Your turn');
      same('where it lies', await ada.discs(), ['yellow 4,3', 'red 5,3']);
      await ada.at('column-0').focus();
      await ada.page.keyboard.press('ArrowRight');
      await ada.page.keyboard.press('Enter');
      await brook.shows('Your turn');
      same('where it lies', (await brook.discs()).at(-2), 'red 5,1');
      await brook.drop(3);
      await ada.shows('Your turn');
    },
    async 'a third one watches and cannot play'() {
      await cleo.enter(origin, 'lobby');
      await cleo.shows('Ada to move');
      same('what Cleo sees', await cleo.discs(), await ada.discs());
      same('columns for Cleo', await cleo.page.locator('.columns button:enabled').count(), 0);
      await eventually('Ada sees that', () => ada.at('watching').textContent(), '1 watching');
      await cleo.page.locator('body').press('1');
      same('a key does nothing', (await ada.discs()).length, 4);
    },
    async 'a move that the server refuses is explained'() {
      await brook.page.evaluate(() => new Promise(resolve => {
        const key = JSON.parse(localStorage.getItem('game:key'));
        const socket = new WebSocket(`ws://${location.host}/game/lobby?playerId=Brook&key=${key}`);
        socket.onopen = () => socket.send('{"type":"move","move":{"column":0}}');
        socket.onmessage = ({ data }) => { const heard = JSON.parse(data); if (heard.type === 'invalid_move') { window.reason = heard.reason; socket.close(4000); resolve(); } };
      }));
      same('reason', await brook.page.evaluate(() => window.reason), 'It is not your turn');
      await ada.shows('Your turn');
    },
    async 'they talk, and what looks like HTML stays text'() {
      await ada.say('good luck 🍀');
      await cleo.say(ATTACK);
      const said = [['Ada', 'good luck 🍀'], [ATTACK, ATTACK]];
      for (const one of [ada, brook, cleo]) {
        await eventually(`what ${one.name} reads`, () => one.messages(), said);
        same('nothing ran', await one.page.evaluate(() => [window.hacked, document.querySelectorAll('img').length]), [undefined, 0]);
      }
    },
    async 'a player who reloads in mid-game comes back to it'() {
      const before = await ada.discs();
      await ada.page.reload();
      await ada.shows('Your turn');
      same('the same board', await ada.discs(), before);
      same('the same talk', (await ada.messages()).length, 2);
      await eventually('Brook saw it', async () => (await brook.news()).slice(-2), ['Ada has lost the connection', 'Ada is back']);
    },
    async 'a cut line is seen by the other, and mended by itself'() {
      cable.set('cut');
      await eventually('Ada is told', () => ada.at('banner').isVisible(), true);
      await eventually('Brook is told', async () => (await brook.players())[0], ['Ada', 'away']);
      same('no column can be pressed', await ada.page.locator('.columns button:enabled').count(), 0);
      await ada.say('in a tunnel');
      same('what cannot be sent stays', await ada.at('composer').inputValue(), 'in a tunnel');
      await ada.at('composer').fill('');
      cable.set('whole');
      await eventually('Ada is back', () => ada.at('banner').isVisible(), false);
      await eventually('Brook sees her', async () => (await brook.players())[0][1], 'red');
      await ada.shows('Your turn');
    },
    async 'a line that dies silently is noticed, and the seat is kept'() {
      cable.set('mute');
      await ada.drop(6);
      await brook.shows('Your turn');
      same('Ada does not know', (await ada.discs()).length, 4);
      cable.set('whole');
      await eventually('Ada knows', async () => (await ada.discs()).length, 5);
      await brook.drop(6);
      await ada.shows('Your turn');
    },
    async 'four in a row win, and everyone sees which'() {
      // Red lies at 5,3 and 5,1: the next one closes the gap, and the one after wins.
      await play(ada, brook, [2, 6, 0], 6);
      await ada.shows('You win');
      await brook.shows('Ada wins');
      await cleo.shows('Ada wins');
      for (const one of [ada, brook, cleo]) {
        same(`score at ${one.name}`, await one.score(), '1 : 0');
        same(`rings at ${one.name}`, await one.page.locator('.rings .won').count(), 4);
      }
      await fits(ada, 'the table');
    },
    async 'a rematch needs both, the other begins, and it ends in a draw'() {
      same('who watches is not asked', await cleo.at('again').isVisible(), false);
      await ada.at('again').click();
      await eventually('Ada waits', () => ada.at('again').textContent(), 'Waiting for Brook');
      await brook.shows('Ada wins. Ada wants to play again.');
      await brook.at('again').click();
      await brook.shows('Your turn');
      same('an empty board', await ada.discs(), []);
      await play(brook, ada, DRAW, 0);
      for (const one of [ada, brook, cleo]) await one.shows('A draw: the board is full');
      same('score', await ada.score(), '1 : 0');
    },
    async 'the same name with another key is turned away at the door'() {
      const thief = new Person('Brook', await (await ada.page.context().browser().newContext()).newPage());
      await thief.page.clock.install();
      await thief.page.goto(`${origin}?game=lobby&player=Brook`);
      await eventually('the thief is told', () => thief.at('why').textContent(), 'Somebody else plays here under this name.');
      await thief.page.clock.fastForward(120_000);
      same('and did not try again', thief.sockets, 1);
      await fits(thief, 'the door');
      await thief.page.context().close();
    },
    async 'who leaves gives up the seat, and somebody who watched may take it'() {
      const sockets = brook.sockets;
      await brook.at('leave').click();
      await eventually('Brook is at the door', () => brook.at('name').isVisible(), true);
      await eventually('the seat is free', async () => (await ada.players())[1][0], 'Free seat');
      await cleo.at('sit').click();
      await ada.shows('Your turn');
      await cleo.shows('Ada to move');
      same('her name stays text', (await ada.players())[1][0], ATTACK);
      await play(ada, cleo, WIN, 0);
      await cleo.shows('Ada wins');
      same('Brook did not come back by himself', brook.sockets, sockets);
    },
    async 'the server dies and comes back: the players sit at a new game'() {
      await server.stop();
      for (const one of [ada, cleo]) await eventually(`${one.name} is told`, () => one.at('banner').isVisible(), true);
      await server.start();
      for (const one of [ada, cleo]) await eventually(`${one.name} is back`, async () => (await one.players()).map(([name]) => name).sort(), [ATTACK, 'Ada']);
    },
    async 'no page raised an error'() {
      for (const { name, faults } of [ada, brook, cleo]) same(`faults at ${name}`, faults, []);
    },
  };
}

/** Pictures for people to look at: desktop and phone, light and dark. */
async function takePictures(enter, origin, folder) {
  const [ada, brook, cleo] = [await enter('Ada'), await enter('Brook Imani'), await enter('Cleo')];
  const looks = async name => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await ada.page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await ada.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await ada.page.screenshot({ path: `${folder}game-${name}-${size}-${colorScheme}.png` });
      }
    }
  };
  await ada.page.goto(`${origin}?game=garden`);
  await looks('door');
  await ada.page.goto(`${origin}?game=garden&player=Ada`);
  await ada.shows('Waiting for somebody to play with');
  await looks('waiting');
  for (const one of [brook, cleo]) await one.page.goto(`${origin}?game=garden&player=${one.name}`);
  await ada.shows('Your turn');
  await ada.say('Ready when you are.');
  await brook.say('Always. Loser brings the coffee?');
  await cleo.say('I watch, and I like mine with milk.');
  await eventually('talk', async () => (await ada.messages()).length, 3);
  await play(ada, brook, [0, 1, 0, 2, 6, 1, 3, 2, 6, 4, 4, 3, 2, 0], 0);
  await looks('playing');
  await play(ada, brook, [3, 6, 2, 4, 5], 14);
  await ada.shows('You win');
  await looks('over');
  await brook.page.close();
  await eventually('Brook is away', async () => (await ada.players())[1][1], 'away');
  await looks('away');
}

async function run(browser, server) {
  const cable = new Cable(server.port);
  await cable.open();
  try {
    const origin = `http://127.0.0.1:${server.port}/`, far = `http://127.0.0.1:${cable.port}/`;
    const enter = async name => new Person(name, await (await browser.newContext({ viewport: SIZES.desktop })).newPage());
    const people = { ada: await enter('Ada'), brook: await enter('Brook'), cleo: await enter(ATTACK) };
    await act(scenarios({ ...people, server, cable, origin, far }));
    await pictures(folder => takePictures(enter, origin, folder));
  } finally {
    cable.close();
  }
}

await drive('game', LIMIT, run);
