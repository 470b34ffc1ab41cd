// A caller that is a browser: headless Chromium with the page beside this file. Events go to
// standard output, one JSON object a line; standard input takes "dial JID", "dial-with-video JID",
// "expect JID" (that one will call), "mute", "unmute", "hold", "unhold", "restart", "hangup",
// "quit". SIGTERM is "quit": it leaves a screenshot and the recording.
//   node caller.mjs --websocket URL --jid JID --password P --tone HZ --record WAV --screenshot PNG
//       [--turn turn:HOST:PORT --turn-username NAME --turn-password P]
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { buildSync } from 'esbuild';
import { chromium } from 'playwright-core';

const kTone_dbfs = -14;
const text = { type: 'string' };
const { values: options } = parseArgs({ options: {
  websocket: text, jid: text, password: text, tone: text, record: text, screenshot: text,
  turn: text, 'turn-username': text, 'turn-password': text,
  chromium: { ...text, default: '/usr/bin/chromium' },
} });
const here = name => new URL(name, import.meta.url).pathname;
const say = event => process.stdout.write(JSON.stringify(event) + '\n');

// Mono, 48 kHz, 16 bits; its sizes are never filled in, for it is read while it grows.
function wavHeader() {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0), header.write('WAVEfmt ', 8), header.write('data', 36);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20), header.writeUInt16LE(1, 22);
  header.writeUInt32LE(48000, 24), header.writeUInt32LE(96000, 28);
  header.writeUInt16LE(2, 32), header.writeUInt16LE(16, 34);
  return header;
}

function serve() {
  const script = buildSync({ entryPoints: [here('page.js')], bundle: true, write: false,
                             define: { global: 'globalThis' } }).outputFiles[0].contents;
  const files = { '/': ['text/html', readFileSync(here('index.html'))],
                  '/recorder.js': ['text/javascript', readFileSync(here('recorder.js'))],
                  '/page.bundle.js': ['text/javascript', script] };
  const recording = openSync(options.record, 'w');
  writeSync(recording, wavHeader());
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      for await (const samples of request) writeSync(recording, samples);
      return response.end();
    }
    const [type, bytes] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(bytes ? 200 : 404, { 'Content-Type': type }).end(bytes);
  });
  return new Promise(ready => server.listen(0, '127.0.0.1', () => ready(server.address().port)));
}

const port = await serve();
const browser = await chromium.launch({
  executablePath: options.chromium,
  handleSIGTERM: false,
  args: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required',
         '--disable-features=WebRtcHideLocalIpsWithMdns'],
});
const page = await browser.newPage();
page.on('pageerror', error => say({ event: 'page-error', detail: String(error) }));
await page.exposeFunction('say', say);

async function quit() {
  await page.screenshot({ path: options.screenshot, fullPage: true });
  await browser.close();
  process.exit(0);
}
process.on('SIGTERM', quit);

await page.goto(`http://127.0.0.1:${port}/`);
await page.evaluate(spec => window.caller.start(spec), {
  websocket: options.websocket, jid: options.jid, password: options.password,
  hz: Number(options.tone), dbfs: kTone_dbfs,
  iceServers: options.turn ? [{ urls: options.turn, username: options['turn-username'],
                                credential: options['turn-password'] }] : [],
});
for await (const line of createInterface({ input: process.stdin })) {
  const [word, argument] = line.split(' ');
  if (word === 'quit') break;
  const to = [argument, word === 'dial-with-video'];
  if (word.startsWith('dial')) await page.evaluate(to => window.caller.dial(...to), to);
  else if (word === 'expect') await page.evaluate(from => window.caller.expect(from), argument);
  else if (word === 'restart') await page.evaluate(() => window.caller.restart());
  else if (word === 'hangup') await page.evaluate(() => window.caller.hangup());
  else await page.evaluate(what => window.caller.tell(what), word);
}
await quit();
