// In the audio thread: what is heard, as 16-bit samples, a tenth of a second at a time.
const kChunk = 4800;

class Recorder extends AudioWorkletProcessor {
  samples = new Int16Array(kChunk);
  filled = 0;

  process([input]) {
    const heard = input[0] ?? new Float32Array(128);  // no channel: nothing comes in at the moment
    for (const sample of heard) {
      this.samples[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.filled < kChunk) continue;
      this.port.postMessage(this.samples.buffer, [this.samples.buffer]);
      this.samples = new Int16Array(kChunk);
      this.filled = 0;
    }
    return true;
  }
}
registerProcessor('recorder', Recorder);
