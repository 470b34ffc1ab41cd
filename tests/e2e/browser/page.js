// The page: StanzaJS as its users have it, a tone for a microphone, and a recorder for ears.
// The driver gives window.say (events, to its standard output) and calls window.caller.
import { createClient } from 'stanza';

const started = performance.now();
const shown = {};

function row(table, ...cells) {
  const line = document.getElementById(table).insertRow();
  for (const cell of cells) line.insertCell().textContent = cell;
}

function show(key, value) {
  shown[key] = value;
  document.getElementById('state').replaceChildren();
  for (const entry of Object.entries(shown)) row('state', ...entry);
}

// The roster in the document, although StanzaJS refuses it.
function showRoster(xml) {
  const iq = new DOMParser().parseFromString(xml, 'text/xml');
  document.getElementById('roster').replaceChildren();
  for (const user of iq.getElementsByTagName('user')) {
    const texts = ['display-text', 'status', 'joining-method', 'when', 'src-id'].map(
      name => user.getElementsByTagName(name)[0]?.textContent ?? '');
    row('roster', user.getAttribute('entity'), ...texts);
  }
}

function say(event, detail = '', more = {}) {
  const t = (performance.now() - started) / 1000;
  row('log', t.toFixed(2), event, [detail, ...Object.values(more)].join(' ').slice(0, 120));
  return window.say({ t, event, detail, ...more });
}

// A sine of that level as a stream to send; what comes in goes to the recorder, whose samples the
// driver gets in order.
async function audio(hz, dbfs) {
  const context = new AudioContext({ sampleRate: 48000 });
  const microphone = new MediaStreamAudioDestinationNode(context, {
    channelCount: 1, channelCountMode: 'explicit',
  });
  const tone = new OscillatorNode(context, { frequency: hz });
  tone.connect(new GainNode(context, { gain: 10 ** (dbfs / 20) })).connect(microphone);
  tone.start();
  await context.audioWorklet.addModule('recorder.js');
  const recorder = new AudioWorkletNode(context, 'recorder', { channelCount: 1 });
  recorder.connect(context.destination);  // it is silent; what leads nowhere is not computed
  let sent = Promise.resolve();
  recorder.port.onmessage = ({ data }) => {
    sent = sent.then(() => fetch('heard', { method: 'POST', body: data }));
  };
  let source;
  return {
    stream: microphone.stream,
    hear(track) {
      source?.disconnect();
      const stream = new MediaStream([track]);
      document.getElementById('speaker').srcObject = stream;  // or Chromium decodes nothing
      source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
      source.connect(recorder);
    },
  };
}

// Something to see: a square that changes its colour.
function picture() {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  setInterval(() => {
    context.fillStyle = `hsl(${performance.now() / 10} 80% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 100);
  return canvas.captureStream(10).getVideoTracks()[0];
}

async function statistics(pc) {
  const report = {};
  for (const entry of (await pc.getStats()).values()) {
    if (entry.type !== 'inbound-rtp' && entry.type !== 'outbound-rtp') continue;
    const of = entry.kind === 'video' ? 'video-' : '';
    for (const key of ['packetsSent', 'packetsReceived', 'packetsLost', 'packetsDiscarded',
                       'concealedSamples', 'silentConcealedSamples', 'concealmentEvents']) {
      if (key in entry) report[of + key] = entry[key];
    }
  }
  return report;
}

window.caller = {
  async start({ websocket, jid, password, hz, dbfs, iceServers }) {
    this.audio = await audio(hz, dbfs);
    const client = this.client = createClient({
      jid, password, transports: { websocket, bosh: false }, autoReconnect: false,
      jingle: { iceServers },
    });
    show('I am', `${jid}, ${hz} Hz`);
    client.on('session:started', () => (client.sendPresence(), say('online')));
    client.on('auth:failed', () => say('refused', 'not-authorized'));
    client.on('message', message => {
      if (!message.body) return;
      show('the room says', message.body);
      say('chat', message.body);
    });
    client.on('raw:incoming', xml => {
      if (xml.includes('<conference-info') && !xml.includes('<jingle')) {
        showRoster(xml);
        say('document', xml);
      }
      if (xml.includes('session-accept')) {
        say('accepted', '', { isfocus: xml.includes('isfocus'), video: /media=.video/.test(xml) });
      }
      if (/^<iq[^>]* type=.error/.test(xml)) say('error', xml);
    });
    client.on('raw:outgoing', xml => {
      if (/^<iq[^>]* type=.error/.test(xml)) say('refused-iq', xml);
    });
    client.jingle.on('incoming', session => {
      show('the call', `from ${session.peerID}`);
      this.session = session;
      for (const track of this.audio.stream.getTracks()) session.addTrack(track, this.audio.stream);
      session.ring();
      session.accept();
    });
    client.jingle.on('peerTrackAdded', (_, track) => {
      if (track.kind === 'audio') this.audio.hear(track);
    });
    client.on('jingle:terminated', (_, reason) => {
      show('the call', `ended: ${reason?.condition} ${reason?.text ?? ''}`);
      say('ended', reason?.condition, { text: reason?.text ?? '' });
    });
    client.connect();
  },
  dial(to, withVideo) {
    show('the call', `to ${to}`);
    const sid = crypto.randomUUID();
    const stream = new MediaStream(this.audio.stream.getTracks());
    if (withVideo) stream.addTrack(picture());
    this.session = this.client.jingle.createMediaSession(to, sid, stream);
    const { pc } = this.session;
    pc.addEventListener('connectionstatechange', () => {
      show('the connection', pc.connectionState);
      say(pc.connectionState);
    });
    return this.session.start();
  },
  // Who is here, to a contact that is to call, and whether it knows now.
  async expect(from) {
    this.client.updateCaps();
    this.client.sendPresence({
      to: from, legacyCapabilities: this.client.getCurrentCaps().legacyCapabilities,
    });
    await this.client.getDiscoInfo(`${from}/focus`);
    say('told', 'expect');
  },
  // What session-infos say is all: the tone goes on, so silence elsewhere is the mixer's doing.
  async tell(what) {
    const name = this.session.pc.getTransceivers()[0].mid;
    await { mute: () => this.session.mute('initiator', name),
            unmute: () => this.session.unmute('initiator', name),
            hold: () => this.session.hold(),
            unhold: () => this.session.resume() }[what]();
    show('I am now', what);
    say('told', what);
  },
  async restart() {
    await this.session.restartIce();
    say('told', 'restart');
  },
  async hangup() {
    say('statistics', JSON.stringify(await statistics(this.session.pc)));
    this.session.end();
  },
};
