// The chat example in a real browser: three people sign in and type with the keyboard, one of them on
// a phone; the test reads what their pages show. Run by `tests/browser/run`; CHAT_SERVER names the server's command.

import { SIZES, act, drive, pictures } from './drive.mjs';
import { Cable, eventually, same } from './lib.mjs';
import { takePictures } from './pictures.mjs';
import { scripted } from './scripted.mjs';

const LIMIT = 180_000; // ms for the whole run
const ADMIN = 'a word that only the admin knows';
const PUBLIC = '[data-testid=message]:not(.private) [data-testid=text]';

/** One person: a page in a context of its own, and every frame its socket received. */
class Person {
  constructor(name, room, page) {
    Object.assign(this, { name, room, page, heard: [], sockets: 0, faults: [] });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', error => this.faults.push(error.message));
    page.on('console', said => { if (/Content Security Policy/.test(said.text())) this.faults.push(said.text()); });
    page.on('websocket', socket => {
      this.sockets += 1;
      socket.on('framereceived', ({ payload }) => this.heard.push(JSON.parse(payload)));
    });
  }

  at(id) { return this.page.getByTestId(id); }
  texts(selector = PUBLIC) { return this.page.locator(selector).allTextContents(); }
  lines() { return this.page.locator('.line:not(.day)').allTextContents(); }
  otherRooms() { return this.page.locator('[data-testid=other-room] .who').allTextContents(); }
  here() { return this.at('here').textContent(); }
  users() { return this.page.locator('[data-testid=user] .who').allTextContents(); }
  state() { return this.at('state').getAttribute('data-state'); }
  typing() { return this.at('typing').textContent(); }
  marks() { return this.page.locator('.mine').evaluateAll(all => all.map(one => one.dataset.state)); }
  heardOf(type) { return this.heard.filter(message => message.type === type); }

  /** Types name and room into the form, from wherever the page put the focus. */
  async join(origin) {
    await this.page.goto(origin);
    await this.page.keyboard.type(this.name);
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(this.room);
    await this.page.keyboard.press('Enter');
    await this.online();
  }
  online() { return eventually(`${this.name} is online`, () => this.state(), 'online'); }
  disconnected() { return eventually(`${this.name} sees the connection lost`, async () => ['waiting', 'connecting'].includes(await this.state()) && await this.at('banner').isVisible(), true); }

  async type(text) { await this.at('composer').focus(); await this.page.keyboard.type(text); }
  async say(text) { await this.type(text); await this.page.keyboard.press('Enter'); }
  /** On a phone, people and rooms are in a drawer. */
  async list() { if (await this.at('people').isVisible()) await this.at('people').click(); }
  async leave() { await this.list(); await this.at('leave').click(); }
  async goTo(room) { await this.list(); await this.at('go').fill(room); await this.page.keyboard.press('Enter'); }
  async choose(name) { await this.list(); await this.page.getByRole('button', { name: `Write to ${name} alone` }).or(this.page.locator('[data-testid=user] button', { hasText: name })).first().click(); }
}

/** What sticks out of the window, or out of its own box where that shows. */
function overflowing({ page }) {
  return page.evaluate(() => {
    const name = element => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}`;
    const shown = [...document.querySelectorAll('body *')].filter(element => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.unseen'));
    const out = shown.filter(element => { const { left, right, width } = element.getBoundingClientRect(); return width > 0 && (left < -0.5 || right > innerWidth + 0.5); });
    const spilt = shown.filter(element => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === 'visible');
    const wide = document.scrollingElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [];
    return [...wide, ...out.map(element => `${name(element)} sticks out`), ...spilt.map(element => `${name(element)} spills`)];
  });
}
async function fits(people, when) {
  for (const person of people) await eventually(`what does not fit at ${person.name}, ${when}`, () => overflowing(person), []);
}

async function bothShow(people, texts) {
  for (const person of people) await eventually(`what ${person.name} sees`, () => person.texts(), texts);
}

function scenarios({ ada, brook, cleo, server, cable, origin, far }) {
  const pair = [ada, brook], said = [];
  const hears = text => { said.push(text); return bothShow(pair, said); };
  return {
    async 'people join by typing into the form'() {
      await ada.page.goto(far);
      await fits([ada], 'at the door');
      await brook.page.goto(origin);
      await fits([brook], 'at the door');
      await ada.join(far);
      await brook.join(origin);
      await cleo.join(origin);
      await eventually('Ada sees Brook come', () => ada.lines(), ['Brook joined']);
      await eventually('people at Ada', () => ada.users(), ['Ada', 'Brook']);
      await eventually('people at Brook', () => brook.users(), ['Brook', 'Ada']);
      await eventually('people at Cleo', () => cleo.users(), ['Cleo']);
    },
    async 'messages reach everyone in the room, exactly and in order'() {
      await ada.say('Hello Brook');
      await hears('Hello Brook');
      await brook.say('Hello Ada, how are you?');
      await hears('Hello Ada, how are you?');
      await ada.say('Fine & well');
      await hears('Fine & well');
      await eventually('Ada sees hers as delivered', () => ada.marks(), ['delivered', 'delivered']);
    },
    async 'typing is seen by the other and not by oneself'() {
      await ada.type('let me th');
      await eventually('Brook sees Ada typing', () => brook.typing(), 'Ada is typing…');
      same('Ada sees nobody typing', await ada.typing(), '');
      await ada.say('ink');
      await hears('let me think');
      await eventually('Brook sees it end', () => brook.typing(), '');
      same('Ada was not told of herself', ada.heardOf('typing').filter(({ user }) => user.name === 'Ada'), []);
    },
    async 'nothing overflows, however long a word is, on the desktop and on the phone'() {
      const word = 'Donaudampfschifffahrtsgesellschaft'.repeat(6);
      await brook.say(word);
      await hears(word);
      await fits(pair, 'with a long word');
      await brook.list();
      await fits([brook], 'with the drawer open');
      await brook.page.keyboard.press('Escape');
    },
    async 'an announcement stands out for everyone in the room'() {
      await ada.at('loud').click();
      await ada.say('Lunch is at noon');
      await hears('Lunch is at noon');
      await eventually('Brook sees who announces', () => brook.page.locator('.message.loud .author').allTextContents(), ['Announcement by Ada']);
      await eventually('Ada has it delivered', () => ada.page.locator('.message.loud').evaluateAll(all => all.map(one => one.dataset.state)), ['delivered']);
      await ada.say('and this is as usual');
      await hears('and this is as usual');
      same('one was loud', await brook.page.locator('.message.loud').count(), 1);
    },
    async 'the admin speaks to a room'() {
      const headers = { Authorization: `Bearer ${ADMIN}` }, body = JSON.stringify({ message: 'Maintenance at ten', room: 'lobby' });
      const answer = await fetch(`${origin}api/admin/broadcast`, { method: 'POST', headers, body });
      same('the answer', await answer.json(), { success: true, reached: 2 });
      for (const { name, page } of pair) await eventually(`what ${name} sees`, () => page.locator('.system').allTextContents(), ['Maintenance at ten']);
      same('Cleo is elsewhere', await cleo.page.locator('.system').count(), 0);
    },
    async 'one goes to another room and comes back, over the same connection'() {
      const sockets = brook.sockets;
      await brook.goTo('garden');
      await eventually('where Brook is', () => brook.here(), '# garden');
      await eventually('people at Cleo', () => cleo.users(), ['Cleo', 'Brook']);
      await eventually('people at Ada', () => ada.users(), ['Ada']);
      await eventually('Ada sees Brook leave', async () => (await ada.lines()).at(-1), 'Brook left');
      await eventually('Brook sees the lobby from afar', () => brook.otherRooms(), ['# lobby']);
      same('Brook sees nothing of the lobby', await brook.texts(), []);
      await brook.say('nice flowers');
      await eventually('Cleo hears it', () => cleo.texts(), ['nice flowers']);
      await brook.list();
      await brook.page.getByTestId('other-room').getByRole('button').click();
      await eventually('where Brook is', () => brook.here(), '# lobby');
      await eventually('people at Ada', () => ada.users(), ['Ada', 'Brook']);
      await bothShow([ada], said);
      said.splice(said.indexOf('Lunch is at noon'), 1); // an announcement is no part of the history
      await bothShow([brook], said);
      await ada.page.reload();
      await ada.online();
      await bothShow([ada], said);
      await cleo.page.reload();
      await cleo.online();
      same('the socket', brook.sockets, sockets);
    },
    async 'a message that looks like HTML stays text'() {
      const attack = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>';
      await ada.say(attack);
      await hears(attack);
      for (const { page } of pair) same('nothing ran', await page.evaluate(() => [window.hacked, document.querySelectorAll('.messages img, .messages script').length]), [undefined, 0]);
    },
    async 'every script, emoji and line break survives'() {
      await brook.say('Grüße, 日本語, مرحبا, 👩‍👩‍👧‍👦 🦀 𝄞 é');
      await hears('Grüße, 日本語, مرحبا, 👩‍👩‍👧‍👦 🦀 𝄞 é');
      await brook.type('first');
      await brook.page.keyboard.press('Shift+Enter');
      await brook.say('second');
      await hears('first\nsecond');
    },
    async 'a private message reaches one person'() {
      await ada.choose('Brook');
      await eventually('whom Ada writes to', () => ada.page.locator('#to-text').textContent(), 'Only to Brook');
      await ada.say('between us');
      await eventually('Brook reads it', () => brook.texts('.private [data-testid=text]'), ['between us']);
      await eventually('Ada keeps it, delivered', () => ada.page.locator('.mine.private').evaluateAll(all => all.map(one => [one.dataset.state, one.querySelector('.author').textContent])), [['delivered', 'Only to Brook']]);
      await ada.page.getByRole('button', { name: 'Write to everyone' }).click();
    },
    async 'another room hears nothing'() {
      const heardBefore = cleo.heard.findLastIndex(message => message.type === 'authenticated');
      await cleo.say('anybody here?');
      await eventually('Cleo has her echo', () => cleo.marks(), ['delivered']);
      same('Cleo sees only her own', await cleo.texts('.mine [data-testid=text]'), ['anybody here?']);
      await eventually('and was sent nothing else', () => cleo.heard.slice(heardBefore).map(message => message.type), ['authenticated', 'room-info', 'room-history', 'chat-message']);
      same('no typing either', await cleo.typing(), '');
    },
    async 'a cut line loses and doubles nothing when the history is replayed'() {
      cable.set('cut');
      await ada.disconnected();
      await ada.say('written in a tunnel');
      await brook.say('said meanwhile');
      await eventually('Brook sees Ada leave', async () => (await brook.lines()).at(-1), 'Ada left');
      await eventually('Ada sees hers waiting', async () => (await ada.marks()).at(-1), 'pending');
      cable.set('whole');
      said.push('said meanwhile');
      await hears('written in a tunnel');
      await eventually('Ada is back', () => brook.users(), ['Brook', 'Ada']);
      const ids = new Set(ada.heardOf('room-history').map(({ you }) => you.id));
      same('Ada is the same person as before', ids.size, 1);
    },
    async 'a message whose echo was lost is not sent twice'() {
      cable.set('mute');
      await ada.say('did you get this?');
      said.push('did you get this?');
      await bothShow([brook], said);
      await eventually('Ada does not know', async () => (await ada.marks()).at(-1), 'pending');
      cable.set('cut');
      await ada.disconnected();
      cable.set('whole');
      await eventually('Ada knows', async () => (await ada.marks()).at(-1), 'delivered');
      await brook.say('yes, once');
      await hears('yes, once');
      same('it arrived once', brook.heardOf('chat-message').filter(message => message.text === 'did you get this?').length, 1);
    },
    async 'draft and outbox survive a reload'() {
      cable.set('no-sockets');
      await ada.disconnected();
      await ada.say('before the reload');
      await ada.type('a draft');
      await ada.page.reload();
      await eventually('what waits', () => ada.texts('.pending [data-testid=text]'), ['before the reload']);
      same('the draft', await ada.at('composer').inputValue(), 'a draft');
      cable.set('whole');
      await hears('before the reload');
      await ada.at('composer').fill('');
    },
    async 'the server dies and comes back: everyone returns, what was typed arrives once'() {
      await cleo.page.evaluate(async () => {
        const { token } = await (await fetch('api/login', { method: 'POST', body: '{"name":"Witness"}' })).json();
        const witness = new WebSocket(`ws://${location.host}/chat/witness?token=${token}`);
        await new Promise(resolve => { witness.onopen = resolve; });
        window.farewell = new Promise(told => { witness.onclose = ({ code, wasClean }) => told([code, wasClean]); });
      });
      await server.stop();
      same('the server says goodbye', await cleo.page.evaluate(() => window.farewell), [1001, true]);
      for (const person of [ada, brook, cleo]) await person.disconnected();
      await ada.say('offline one');
      await ada.say('offline two');
      await eventually('Ada sees both waiting', async () => (await ada.marks()).slice(-2), ['pending', 'pending']);
      await eventually('Ada is told', async () => (await ada.at('banner').textContent()).includes('2 unsent'), true);
      await server.start();
      for (const person of [ada, brook, cleo]) await person.online();
      await eventually('Brook and Ada meet again', () => brook.users(), ['Brook', 'Ada']);
      said.push('offline one');
      await hears('offline two');
      await brook.say('welcome back');
      await hears('welcome back');
      await eventually('Ada sees hers as delivered', async () => (await ada.marks()).filter(mark => mark !== 'delivered'), []);
    },
    async 'a private message to someone who left is held back and kept'() {
      await ada.choose('Brook');
      cable.set('cut');
      await ada.disconnected();
      await ada.say('are you there?');
      await brook.leave();
      await eventually('Brook is back at the door', () => brook.at('join').isVisible(), true);
      cable.set('whole');
      await eventually('Ada is told', () => ada.at('toast').locator('span').textContent(), 'Brook is not here now');
      await eventually('Ada keeps it', () => ada.texts('.failed [data-testid=text]'), ['are you there?']);
      await ada.say('not sent in the open');
      await eventually('and a private draft stays private', () => ada.at('composer').inputValue(), 'not sent in the open');
      await ada.page.getByRole('button', { name: 'Discard' }).click();
      await eventually('until she drops it', () => ada.texts('.failed [data-testid=text]'), []);
      await ada.at('composer').fill('');
      await ada.page.getByRole('button', { name: 'Write to everyone' }).click();
    },
    async 'who leaves is seen leaving and does not come back by itself'() {
      await brook.page.keyboard.press('Enter');
      await brook.online();
      await eventually('people at Ada', () => ada.users(), ['Ada', 'Brook']);
      const sockets = brook.sockets;
      await brook.leave();
      await eventually('Ada sees it', async () => (await ada.lines()).at(-1), 'Brook left');
      await eventually('people at Ada', () => ada.users(), ['Ada']);
      await ada.say('alone again');
      await eventually('Ada is alone', async () => (await ada.texts()).at(-1), 'alone again');
      same('Brook opened no other socket', brook.sockets, sockets);
    },
    async 'an address with a name and a room joins at once'() {
      await brook.page.goto(`${origin}?user=Brook&room=lobby`);
      await brook.online();
      await eventually('people at Ada', () => ada.users(), ['Ada', 'Brook']);
    },
    async 'wrong requests are answered with errors, and the connection stays'() {
      const answers = await cleo.page.evaluate(async () => {
        const { token } = await (await fetch('api/login', { method: 'POST', body: '{"name":"Eve"}' })).json();
        return new Promise((resolve, reject) => {
          const socket = new WebSocket(`ws://${location.host}/chat/errors`, ['chat', `bearer.${token}`]), heard = [];
          socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
          socket.onopen = () => ['{', '{"type":"dance"}', '{"type":"private","targetUserId":"nobody","text":"x","clientId":"e-1"}'].forEach(text => socket.send(text));
          socket.onmessage = ({ data }) => { if (heard.push(JSON.parse(data)) === 6) resolve([socket.protocol, ...heard.slice(3).map(({ type, message }) => `${type}: ${message}`)]); };
        });
      });
      same('answers', answers, ['chat', 'error: Invalid message format', 'error: Unknown message type', 'error: User not found or offline']);
    },
    async 'no page raised an error'() {
      for (const { name, faults } of [ada, brook, cleo]) same(`faults at ${name}`, faults, []);
    },
  };
}

async function run(browser, server) {
  const cable = new Cable(server.port);
  await cable.open();
  try {
    const origin = `http://127.0.0.1:${server.port}/`, far = `http://127.0.0.1:${cable.port}/`;
    const enter = async (name, room, viewport) => new Person(name, room, await (await browser.newContext({ viewport })).newPage());
    const people = { ada: await enter('Ada', 'lobby', SIZES.desktop), brook: await enter('Brook', 'lobby', SIZES.phone), cleo: await enter('Cleo', 'garden', SIZES.desktop) };
    await act({ ...scenarios({ ...people, server, cable, origin, far }), ...scripted }, browser, origin);
    await pictures(folder => takePictures(browser, server, origin, folder));
  } finally {
    cable.close();
  }
}

process.env.CHAT_ADMIN_TOKEN = ADMIN;

await drive('chat', LIMIT, run);
