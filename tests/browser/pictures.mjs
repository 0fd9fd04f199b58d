// Screenshots of the chat page in a plausible conversation, for people to look at:
// desktop and phone, light and dark, the door, the drawer, and a lost connection.

import { SIZES } from './drive.mjs';

const GUESTS = ['Brook Imani', 'Mateo', 'Yuki', 'Cleo'];
const TALK = [
  ['Brook Imani', 'Morning! The new build is on the staging server.'],
  ['Brook Imani', 'Reconnects look good from here, even through the tunnel on the train.'],
  ['Mateo', 'Nice. I had it open on two phones all night: 9 hours, no gap in the history.'],
  ['Ada', 'That is what I hoped for 🎉'],
  ['Yuki', 'Release is at four. Please no merges after three.', 'announce'],
  ['Ada', 'Could someone try it behind the office proxy? That was the last one on my list.'],
  ['Yuki', 'On it. Give me ten minutes, I have to find the cable first.\nIf it fails I will post the trace here.'],
  ['Mateo', 'Bring coffee ☕️'],
  ['Ada', 'Two, please.'],
];

/** Guests without pages of their own: sockets opened from one blank page of the same origin. */
async function invite(browser, origin) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(origin);
  await page.evaluate(async names => {
    const enter = async (name, room) => {
      const { token } = await (await fetch('api/login', { method: 'POST', body: JSON.stringify({ name }) })).json();
      const socket = new WebSocket(`ws://${location.host}/chat/${room}`, ['chat', `bearer.${token}`]);
      await new Promise((resolve, reject) => { socket.onmessage = resolve; socket.onerror = () => reject(new Error(`${name} cannot join`)); });
      return [name, socket];
    };
    window.guests = new Map(await Promise.all(names.map(name => enter(name, 'release'))));
    for (const [name, room] of [['Noor', 'garden'], ['Sam', 'garden'], ['Li', 'support']]) await enter(name, room);
  }, GUESTS);
  return (name, message) => page.evaluate(([who, what]) => window.guests.get(who).send(JSON.stringify(what)), [name, message]);
}

async function talk(page, tell) {
  for (const [index, [name, text, type = 'chat']] of TALK.entries()) {
    if (name === 'Ada') {
      await page.getByTestId('composer').fill(text);
      await page.keyboard.press('Enter');
    } else {
      await tell(name, { type, text, clientId: `picture-${index}` });
    }
    await page.getByTestId('message').nth(index).and(page.locator('[data-state=delivered]')).waitFor();
  }
}

export async function takePictures(browser, server, origin, folder) {
  const context = await browser.newContext({ viewport: SIZES.desktop, deviceScaleFactor: 2, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const snap = name => page.screenshot({ path: `${folder}${name}.png` });
  const online = () => page.locator('[data-testid=state][data-state=online]').waitFor({ state: 'attached' });
  const everyLook = async name => {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await snap(`${name}-${size}-${colorScheme}`);
      }
    }
  };

  await page.goto(`${origin}?room=release`);
  await everyLook('door');
  const tell = await invite(browser, origin);
  await page.goto(`${origin}?user=Ada&room=release`);
  await online();
  await talk(page, tell);
  await tell('Yuki', { type: 'typing', isTyping: true });
  await page.getByText('Yuki is typing').waitFor();
  await everyLook('chat');
  await page.getByTestId('people').click();
  await snap('drawer-phone-dark');
  await page.keyboard.press('Escape');
  await page.setViewportSize(SIZES.desktop);
  await page.locator('[data-testid=user] button', { hasText: 'Mateo' }).click();
  await page.getByTestId('composer').fill('Thank you for the night shift.');
  await page.keyboard.press('Enter');
  await page.locator('.mine.private[data-state=delivered]').waitFor();
  await everyLook('private');
  const headers = { Authorization: `Bearer ${process.env.CHAT_ADMIN_TOKEN}` };
  await fetch(`${origin}api/admin/broadcast`, { method: 'POST', headers, body: '{"message":"The server restarts at ten. What you write meanwhile is kept."}' });
  await page.locator('.system').waitFor();
  await page.getByTestId('loud').click();
  await page.getByTestId('composer').fill('The restart is over in a minute.');
  await everyLook('announce');
  await page.getByTestId('loud').click();
  await server.stop();
  await page.locator('[data-testid=banner]').waitFor();
  await page.getByTestId('composer').fill('Still here, even offline.');
  await page.keyboard.press('Enter');
  await page.locator('.pending').waitFor();
  await everyLook('offline');
  await server.start();
  await online();
}
