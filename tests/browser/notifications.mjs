// The notifications example in a real browser: an admin sends, people are here or away, posts appear
// where they are followed, and a server that dies and comes back. Run by `tests/browser/run`;
// NOTIFICATIONS_SERVER names the server's command.

import { SIZES, act, drive, pictures } from './drive.mjs';
import { Cable, eventually, same } from './lib.mjs';

const LIMIT = 180_000; // ms for the whole run

// With a secret of their own the tokens outlive the server.
process.env.NOTIFICATIONS_SECRET = 'a secret that is long enough for a test';

/** One person: a page in a context of its own, and every frame its socket received. */
class Person {
  constructor(name, role, page) {
    Object.assign(this, { name, role, page, heard: [], sockets: 0, faults: [] });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', error => this.faults.push(error.message));
    page.on('websocket', socket => {
      this.sockets += 1;
      socket.on('framereceived', ({ payload }) => this.heard.push(JSON.parse(payload)));
    });
  }

  at(id) { return this.page.getByTestId(id); }
  button(name) { return this.page.getByRole('button', { name, exact: true }); }
  texts(selector) { return this.page.locator(selector).allTextContents(); }
  unread() { return this.texts('.note.unread p'); }
  notes() { return this.texts('.note p'); }
  posts() { return this.texts('.post h3'); }
  channels() { return this.page.locator('[data-testid=channel-chip]:not(.waiting) span').allTextContents(); }
  heardOf(type) { return this.heard.filter(message => message.type === type); }
  online() { return eventually(`${this.name} is online`, () => this.at('state').textContent(), 'Online'); }
  lost() { return eventually(`${this.name} sees the connection lost`, () => this.at('banner').isVisible(), true); }

  /** Types the name into the form, from wherever the page put the focus, and chooses the role. */
  async signIn(origin) {
    if (origin) await this.page.goto(origin);
    await this.at('name').fill('');
    await this.page.keyboard.type(this.name);
    await this.page.getByRole('radio', { name: this.role }).check();
    await this.page.keyboard.press('Enter');
    await this.online();
  }
  async signOut() { await this.at('leave').click(); await this.at('name').waitFor(); }

  async send(target, text) {
    await this.at('target').focus();
    await eventually(`${this.name} can choose ${target}`, () => this.page.locator(`#target option[value="${target}"]`).count(), 1);
    await this.at('target').selectOption(target);
    await this.at('note').fill(text);
    await this.page.keyboard.press('Enter');
  }
  async post(title, text) {
    await this.at('title').focus();
    await this.page.keyboard.type(title);
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.type(text);
    await this.at('publish').click();
  }
}

async function fits({ page }, what) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    same(`${what} on a ${size} overflows by`, await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth), 0);
  }
  await page.setViewportSize(SIZES.desktop);
}

function scenarios({ root, ada, brook, server, cable, origin, far }) {
  return {
    async 'people sign in by typing into the form'() {
      await root.signIn(origin);
      await ada.signIn(far);
      await brook.signIn(origin);
      same('who Ada is', await ada.at('me').textContent(), 'Ada');
      same('only the admin can send', [await root.at('send').isVisible(), await ada.at('send').isVisible()], [true, false]);
    },
    async 'a notification for one person reaches that one'() {
      await root.send('user:ada', 'Your parcel is here');
      await eventually('Root is told', () => root.at('sent').textContent(), 'Sent to 1 person.');
      await eventually('Ada reads it', () => ada.unread(), ['Your parcel is here']);
      same('her title says so', await ada.page.title(), '(1) Notifications');
      same('Brook has nothing', await brook.notes(), []);
    },
    async 'a notification for a role reaches all who have it'() {
      await root.send('role:editor', 'The deadline is Friday');
      await eventually('Root is told', () => root.at('sent').textContent(), 'Sent to 2 people.');
      await eventually('Ada reads it', () => ada.unread(), ['The deadline is Friday', 'Your parcel is here']);
      await eventually('Brook reads it', () => brook.unread(), ['The deadline is Friday']);
    },
    async 'what is read stays read, in every window of that person'() {
      const page = await ada.page.context().newPage(), other = new Person('Ada', 'Editor', page);
      await other.signIn(origin);
      await eventually('the other window has both', async () => (await other.unread()).length, 2);
      await ada.page.locator('.note', { hasText: 'parcel' }).getByTestId('read').click();
      for (const window of [ada, other]) await eventually('one is left', () => window.unread(), ['The deadline is Friday']);
      same('it is still shown', await ada.notes(), ['The deadline is Friday', 'Your parcel is here']);
      await other.at('read-all').click();
      for (const window of [ada, other]) await eventually('none is left', () => window.unread(), []);
      same('no badge', await ada.at('unread').isVisible(), false);
      await page.close();
    },
    async 'what is sent to who is away waits for them'() {
      await brook.signOut();
      await eventually('Root sees him go', async () => { await root.at('target').blur(); await root.at('target').focus(); return root.texts('#target option[value="user:brook"]'); }, ['Brook (away)']);
      await root.send('user:brook', 'Call me back');
      await eventually('Root is told', () => root.at('sent').textContent(), 'Sent to 1 person, 1 of them away.');
      await root.send('role:editor', 'Lunch is served');
      await eventually('Root is told again', () => root.at('sent').textContent(), 'Sent to 2 people, 1 of them away.');
      await brook.signIn();
      await eventually('Brook finds all that is unread', () => brook.unread(), ['Lunch is served', 'Call me back', 'The deadline is Friday']);
      await brook.at('read-all').click();
      await eventually('and reads it', () => brook.unread(), []);
      await brook.page.reload();
      await brook.online();
      await eventually('then nothing waits any more', () => brook.notes(), []);
    },
    async 'a post appears at once for those who are live, and not for who paused'() {
      await brook.at('live').click();
      await eventually('Brook paused', () => brook.channels(), []);
      await ada.post('Release notes', 'Everything is faster.');
      await eventually('Ada sees it', () => ada.posts(), ['Release notes']);
      await eventually('Root sees it', () => root.posts(), ['Release notes']);
      await eventually('and reads of it', async () => (await root.texts('#activity .line p'))[0], 'posts Ada: “Release notes” is new');
      same('Brook does not', await brook.posts(), []);
      await brook.at('live').click();
      await eventually('Brook catches up', () => brook.posts(), ['Release notes']);
    },
    async 'who follows a post hears of its changes'() {
      await brook.at('live').click();
      await brook.at('follow').click();
      await eventually('Brook follows', () => brook.channels(), ['post-1']);
      same('only its author and the admin can edit', [await ada.button('Edit').count(), await brook.button('Edit').count(), await root.button('Edit').count()], [1, 0, 1]);
      await ada.button('Edit').click();
      await ada.at('text').fill('Everything is twice as fast.');
      await ada.at('publish').click();
      for (const person of [brook, root, ada]) await eventually(`${person.name} reads the new text`, () => person.texts('.post .text'), ['Everything is twice as fast.']);
      same('Brook heard it on its own channel', brook.heardOf('update').at(-1).channel, 'post-1');
      same('once', brook.heardOf('update').filter(({ data }) => data.type !== 'new-post').length, 1);
    },
    async 'any channel can be added and dropped'() {
      await brook.at('channel').fill('weather');
      await brook.page.keyboard.press('Enter');
      await eventually('Brook has it', () => brook.channels(), ['post-1', 'weather']);
      await brook.page.getByTitle('Unsubscribe from weather').click();
      await eventually('Brook drops it', () => brook.channels(), ['post-1']);
    },
    async 'text that looks like HTML stays text'() {
      const attack = '<img src=x onerror="window.hacked = true"><b>bold</b>';
      await root.send('user:ada', attack);
      await eventually('Ada reads it as it is', async () => (await ada.notes())[0], attack);
      await ada.post(attack, attack);
      await eventually('Root reads it as it is', async () => (await root.posts())[0], attack);
      for (const { page } of [root, ada]) same('nothing ran', await page.evaluate(() => [window.hacked, document.querySelectorAll('main img, #activity b b').length]), [undefined, 0]);
    },
    async 'a cut line loses nothing, and nothing is shown twice'() {
      cable.set('cut');
      await ada.lost();
      await root.send('user:ada', 'Said in the tunnel');
      await brook.post('Written meanwhile', '');
      cable.set('whole');
      await ada.online();
      await eventually('Ada finds it', async () => (await ada.unread())[0], 'Said in the tunnel');
      await eventually('and the post', async () => (await ada.posts())[0], 'Written meanwhile');
      const notes = await ada.notes();
      same('each once', notes.length, new Set(notes).size);
      same('subscribed again', await ada.channels(), ['posts']);
    },
    async 'the server dies and comes back: everyone returns by themselves'() {
      const before = brook.sockets;
      await server.stop();
      for (const person of [root, ada, brook]) await person.lost();
      await server.start();
      for (const person of [root, ada, brook]) await person.online();
      same('Brook came back', brook.sockets > before, true);
      await eventually('to his channels', () => brook.channels(), ['post-1']);
      await root.send('role:editor', 'We are back');
      for (const person of [ada, brook]) await eventually(`${person.name} reads it`, async () => (await person.unread())[0], 'We are back');
    },
    async 'whose token is no longer good has to sign in again'() {
      await server.stop();
      for (const person of [root, ada, brook]) await person.lost();
      process.env.NOTIFICATIONS_SECRET += ' and another one';
      await server.start();
      for (const person of [root, ada, brook]) {
        await eventually(`${person.name} is told`, () => person.at('login-why').textContent(), 'Please sign in again.');
        const sockets = person.sockets;
        await person.page.waitForTimeout(1_500);
        same('and the page does not try again', person.sockets, sockets);
        await person.signIn();
      }
    },
    async 'who signs out stays out'() {
      const sockets = brook.sockets;
      await brook.signOut();
      await brook.page.waitForTimeout(1_500);
      same('no socket was opened', brook.sockets, sockets);
      await brook.page.reload();
      await brook.at('name').waitFor();
      await brook.signIn();
    },
    async 'the page fits both sizes, and a phone has tabs'() {
      await fits(root, 'the page');
      await root.page.setViewportSize(SIZES.phone);
      for (const [tab, seen] of [['Posts', 'title'], ['More', 'note'], ['Inbox', 'notes']]) {
        await root.page.getByRole('tab', { name: tab }).click();
        same(`${tab} shows ${seen}`, await root.at(seen).isVisible(), true);
        same(`${tab} overflows by`, await root.page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth), 0);
      }
      await root.page.setViewportSize(SIZES.desktop);
      await brook.signOut();
      await fits(brook, 'the door');
      await brook.signIn();
    },
    async 'no page raised an error'() {
      for (const { name, faults } of [root, ada, brook]) same(`faults at ${name}`, faults, []);
    },
  };
}

async function takePictures({ root, ada, brook }, folder) {
  const looks = async ({ page }, name) => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.screenshot({ path: `${folder}notifications-${name}-${size}-${colorScheme}.png` });
      }
    }
    await page.setViewportSize(SIZES.desktop);
  };
  const posts = [['Spring release is out', 'Reconnects are twice as fast, and an idle connection costs a third less.\nThe notes list everything that changed.'],
    ['Office closed on Monday', 'The heating is being repaired. Please work from home.'],
    ['How we test the mobile app', 'Two phones, a lift and a tunnel: what we learned about networks that come and go.']];
  for (const [title, text] of posts) await ada.post(title, text);
  await brook.post('Minutes of the editors’ meeting', 'Three articles for June, and a new column.');
  for (const [target, text] of [['user:root', 'The backup of last night is complete'], ['role:admin', 'Two people asked for access to the archive. Have a look when you can.'], ['user:root', 'Brook published “Minutes of the editors’ meeting”']]) await root.send(target, text);
  await root.page.locator('.note', { hasText: 'backup' }).getByTestId('read').click();
  await root.page.getByTestId('follow').first().click();
  await root.page.waitForTimeout(5_500);
  await looks(root, 'admin');
  await ada.page.waitForTimeout(500);
  await looks(ada, 'editor');
  await root.page.setViewportSize(SIZES.phone);
  for (const tab of ['Posts', 'More']) {
    await root.page.getByRole('tab', { name: tab }).click();
    await root.page.screenshot({ path: `${folder}notifications-${tab.toLowerCase()}-phone.png` });
  }
  await root.signOut();
  await looks(root, 'door');
}

async function run(browser, server) {
  const cable = new Cable(server.port);
  await cable.open();
  try {
    const origin = `http://127.0.0.1:${server.port}/`, far = `http://127.0.0.1:${cable.port}/`;
    const enter = async (name, role) => new Person(name, role, await (await browser.newContext({ viewport: SIZES.desktop, locale: 'en-GB' })).newPage());
    const people = { root: await enter('Root', 'Admin'), ada: await enter('Ada', 'Editor'), brook: await enter('Brook', 'Editor') };
    await act(scenarios({ ...people, server, cable, origin, far }));
    await pictures(folder => takePictures(people, folder));
  } finally {
    cable.close();
  }
}

await drive('notifications', LIMIT, run);
