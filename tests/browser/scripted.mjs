// What the page does with answers that a healthy server seldom gives. The page is the real one;
// its socket ends in this file, so each answer comes exactly when the scenario wants it. When it tries
// again, and when not, is A24 of the predecessors' examples.

import { eventually, same } from './lib.mjs';

const ADA = { id: '1', name: 'Ada' };
const history = (users = [ADA]) => ({ type: 'room-history', room: 'stage', you: ADA, messages: [], users });

/**
 * A page whose nth socket is played by the nth act, later ones by the last.
 * Its clock stands still unless a scenario moves it, and its dice always show the longest wait.
 */
async function stage(browser, origin, ...acts) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(10_000);
  const play = { page, sockets: 0, said: [] };
  await page.addInitScript(() => { Math.random = () => 0.999; });
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1_000);
  await page.routeWebSocket(/\/chat\//, socket => {
    const act = acts[Math.min(play.sockets, acts.length - 1)];
    play.sockets += 1;
    const tell = message => socket.send(JSON.stringify(message));
    socket.onMessage(text => { play.said.push(JSON.parse(text)); act.hears?.(JSON.parse(text), tell, socket); });
    act.opens(tell, socket);
  });
  await page.goto(`${origin}?user=Ada&room=stage`);
  return play;
}
const state = page => page.getByTestId('state').getAttribute('data-state');
const echo = ({ text, clientId }, id = 1) => ({ type: 'chat-message', id, text, clientId, user: ADA, timestamp: new Date().toISOString() });
async function say(page, text) {
  await page.getByTestId('composer').fill(text);
  await page.keyboard.press('Enter');
}

export const scripted = {
  async 'closes 1000 and 1008 are final, and their reason is shown'(browser, origin) {
    for (const code of [1000, 1008]) {
      const play = await stage(browser, origin, { opens: (_, socket) => socket.close({ code, reason: 'Not on the list' }) });
      await eventually('the state', () => state(play.page), 'closed');
      same('the reason', await play.page.getByTestId('toast').locator('span').textContent(), 'Not on the list');
      await play.page.clock.fastForward(120_000);
      same('sockets after two minutes', play.sockets, 1);
      await play.page.getByTestId('retry').click();
      await eventually('but one may ask again', () => play.sockets, 2);
    }
  },
  async 'a name that the server refuses is final, and the reason is shown'(browser, origin) {
    const play = await stage(browser, origin, { opens: tell => tell(history()) });
    await eventually('the state', () => state(play.page), 'online');
    await play.page.route('**/api/login', route => route.fulfill({ status: 400, json: { type: 'error', message: 'Please choose a name' } }));
    await play.page.reload();
    await eventually('the state', () => state(play.page), 'closed');
    same('the reason', await play.page.getByTestId('toast').locator('span').textContent(), 'Please choose a name');
    await play.page.clock.fastForward(120_000);
    same('sockets', play.sockets, 1);
  },
  async 'each connection shows the token of the one before, and so stays the same person'(browser, origin) {
    const play = await stage(browser, origin, { opens: tell => tell(history()), hears: (message, _, socket) => socket.close({ code: 1001 }) });
    const asked = [];
    await play.page.route('**/api/login', async route => {
      asked.push(route.request().headers().authorization ?? 'nothing');
      await route.fulfill({ json: { token: `token-${asked.length}` } });
    });
    await play.page.evaluate(() => sessionStorage.removeItem('chat:token:Ada'));
    await play.page.reload();
    await eventually('the state', () => state(play.page), 'online');
    await say(play.page, 'and the line is cut');
    await eventually('the state', () => state(play.page), 'waiting');
    await play.page.getByTestId('retry').click();
    await eventually('what was shown', () => asked.slice(-2), ['nothing', 'Bearer token-1']);
  },
  async 'what was too fast for the server is said again when it may be'(browser, origin) {
    let refusals = 1;
    const play = await stage(browser, origin, {
      opens: tell => tell(history()),
      hears: (message, tell) => {
        if (message.type !== 'chat') return;
        tell(refusals-- > 0 ? { type: 'error', message: 'Rate limit exceeded', retryAfter: 700 } : echo(message));
      },
    });
    const chats = () => play.said.filter(({ type }) => type === 'chat').map(({ text }) => text);
    await eventually('the state', () => state(play.page), 'online');
    await say(play.page, 'fast');
    await eventually('it was sent', chats, ['fast']);
    await play.page.clock.fastForward(600);
    same('but not again before its time', chats(), ['fast']);
    await play.page.clock.fastForward(200);
    await eventually('delivered', () => play.page.locator('[data-testid=message]').evaluateAll(all => all.map(one => one.dataset.state)), ['delivered']);
    same('sent twice', chats(), ['fast', 'fast']);
  },
  async 'a room that cannot be entered leaves one where one is'(browser, origin) {
    const play = await stage(browser, origin, {
      opens: tell => tell(history()),
      hears: (message, tell) => tell(message.type === 'chat' ? echo(message) : { type: 'error', message: 'Bad room name' }),
    });
    await eventually('the state', () => state(play.page), 'online');
    await play.page.getByTestId('go').fill('elsewhere');
    await play.page.keyboard.press('Enter');
    await eventually('the reason', () => play.page.getByTestId('toast').locator('span').textContent(), 'Bad room name');
    await say(play.page, 'still here');
    await eventually('delivered', () => play.page.locator('[data-testid=message]').evaluateAll(all => all.map(one => one.dataset.state)), ['delivered']);
    same('the room', await play.page.getByTestId('here').textContent(), '# stage');
  },
  async 'close 1013 is answered by waiting at least three seconds'(browser, origin) {
    const play = await stage(browser, origin, { opens: (_, socket) => socket.close({ code: 1013 }) }, { opens: tell => tell(history()) });
    await eventually('the state', () => state(play.page), 'waiting');
    await play.page.clock.fastForward(2_900);
    same('sockets after 2.9 s', play.sockets, 1);
    await play.page.clock.fastForward(200);
    await eventually('the state', () => state(play.page), 'online');
  },
  async 'waits double up to 30 s, and "Try now" skips them'(browser, origin) {
    const play = await stage(browser, origin, { opens: (_, socket) => socket.close({ code: 1001 }) });
    const banner = play.page.getByTestId('banner').locator('span');
    for (const [index, seconds] of [1, 1, 2, 4, 8, 16, 30, 30].entries()) {
      await eventually(`sockets before wait ${index}`, () => play.sockets, index + 1);
      await eventually(`wait ${index}`, () => banner.textContent(), `Connection lost. Reconnecting in ${seconds} s.`);
      await play.page.clock.fastForward(seconds * 1_000);
    }
    await eventually('the state', () => state(play.page), 'waiting');
    const before = play.sockets;
    await play.page.getByTestId('retry').click();
    await eventually('sockets', () => play.sockets, before + 1);
  },
  async 'a refused message is kept and can be tried again'(browser, origin) {
    let refusals = 1;
    const play = await stage(browser, origin, {
      opens: tell => tell(history()),
      hears: (message, tell) => {
        if (message.type !== 'chat') return;
        tell(refusals-- > 0 ? { type: 'error', message: 'Rate limit exceeded', clientId: message.clientId } : echo(message));
      },
    });
    await eventually('the state', () => state(play.page), 'online');
    await say(play.page, 'too fast');
    await eventually('the trouble', () => play.page.locator('.failed .trouble').allTextContents(), ['Not delivered: Rate limit exceededTry againDiscard']);
    same('the toast', await play.page.getByTestId('toast').locator('span').textContent(), 'Rate limit exceeded');
    await play.page.getByRole('button', { name: 'Try again' }).click();
    await eventually('delivered once', () => play.page.locator('[data-testid=message]').evaluateAll(all => all.map(one => one.dataset.state)), ['delivered']);
  },
  async 'a private message never reaches a stranger who was given an old id'(browser, origin) {
    const play = await stage(browser, origin,
      { opens: tell => tell(history([ADA, { id: '2', name: 'Brook' }])), hears: ({ type }, _, socket) => { if (type === 'chat') socket.close({ code: 1001 }); } },
      { opens: tell => tell(history([ADA, { id: '2', name: 'Mallory' }])), hears: (message, tell) => { if (message.type === 'chat') tell(echo(message)); } });
    await eventually('the state', () => state(play.page), 'online');
    await say(play.page, 'and the server goes');
    await eventually('the state', () => state(play.page), 'waiting');
    await play.page.locator('[data-testid=user] button', { hasText: 'Brook' }).click();
    await say(play.page, 'for Brook alone');
    await play.page.getByTestId('retry').click();
    await eventually('it is held back', () => play.page.locator('.failed [data-testid=text]').allTextContents(), ['for Brook alone']);
    same('private messages sent', play.said.filter(({ type }) => type === 'private'), []);
  },
  async 'a line that falls silent is noticed and replaced'(browser, origin) {
    const play = await stage(browser, origin, { opens: tell => tell(history()) },
      { opens: tell => tell(history()), hears: (message, tell) => { if (message.type === 'chat') tell(echo(message)); } });
    await eventually('the state', () => state(play.page), 'online');
    await say(play.page, 'anyone?');
    await eventually('it was sent', () => play.said.filter(({ type }) => type === 'chat').length, 1);
    await play.page.clock.fastForward(16_000);
    await eventually('the silent line is dropped', () => state(play.page), 'waiting');
    await play.page.clock.fastForward(1_000);
    await eventually('delivered over the next', () => play.page.locator('.mine').evaluateAll(all => all.map(one => one.dataset.state)), ['delivered']);
    same('sockets', play.sockets, 2);
  },
};
