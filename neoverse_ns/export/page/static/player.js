// Time: where the clip is, how fast it runs, and the buttons that say so.

const element = (id) => document.getElementById(id);

class Player {
  constructor(header, changed) {
    Object.assign(this, { frames: header.frames, changed, position: 0, rate: 1, playing: false, follow: true });
    this.seconds = header.frames.map(({ second }) => second);
    this.length = this.seconds[this.seconds.length - 1];
    const slider = element("slider");
    slider.max = String(this.length);
    slider.addEventListener("input", () => { this.set(Number(slider.value)); });
    element("play").addEventListener("click", () => this.toggle());
    element("back").addEventListener("click", () => this.step(-1));
    element("forth").addEventListener("click", () => this.step(1));
    element("rate").addEventListener("change", (event) => { this.rate = Number(event.target.value); });
    element("frames").textContent = ` / ${this.frames.length}`;
    for (const second of this.seconds) {
      const tick = document.createElement("i");
      tick.style.left = `${100 * second / (this.length || 1)}%`;
      element("ticks").append(tick);
    }
    if (this.length <= 0) for (const id of ["slider", "ticks", "play", "back", "forth", "rate"]) element(id).hidden = true;
    this.show();
  }

  /** Normalised time of now. */
  get time() {
    const at = fractionAt(this.seconds, this.position), before = Math.floor(at), share = at - before;
    const a = this.frames[before].time, b = this.frames[Math.min(before + 1, this.frames.length - 1)].time;
    return a + share * (b - a);
  }

  get frame() { return Math.round(fractionAt(this.seconds, this.position)); }

  set(second) {
    this.position = clamp(second, 0, this.length);
    this.show();
    this.changed();
  }

  step(count) {
    this.pause();
    const at = fractionAt(this.seconds, this.position), edge = 1e-3;
    const to = count > 0 ? Math.floor(at + edge) + 1 : Math.ceil(at - edge) - 1;
    this.set(this.seconds[clamp(to, 0, this.seconds.length - 1)]);
  }

  toggle() { this.playing ? this.pause() : this.play(); }

  play() {
    if (this.length <= 0) return;
    this.playing = true;
    this.show();
    this.changed();
  }

  pause() {
    this.playing = false;
    this.show();
  }

  /** Let time run; seconds since the last picture. At the end it begins again. */
  advance(seconds) {
    if (!this.playing) return;
    const next = this.position + seconds * this.rate;
    this.set(next > this.length ? next % this.length : next);
  }

  show() {
    document.body.classList.toggle("playing", this.playing);
    element("play").setAttribute("aria-label", this.playing ? "Pause" : "Play");
    const slider = element("slider");
    slider.value = String(this.position);
    slider.style.setProperty("--done", `${100 * this.position / (this.length || 1)}%`);
    slider.setAttribute("aria-valuetext", `${this.position.toFixed(2)} seconds`);
    element("frame").textContent = String(this.frame + 1).padStart(String(this.frames.length).length, "\u2007");
    element("second").textContent = `${this.position.toFixed(2)} s`;
  }
}
