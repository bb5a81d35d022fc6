// Brings time, camera, sorter and picture together, and draws when something has changed.

const BLUR = 0.3;            // variance of the pixel filter that the scene was trained with, pixels of the clip squared
const MOST_CROPPED = 1.3;    // how much of the clip's picture may be cut so that it fills the window
const MOST_PIXELS = 3;       // of the window for one of the clip: beyond, there is nothing more to see
const SLOW = 45, QUICK = 24; // milliseconds for a picture while something moves

class Stage {
  constructor(header, scene, canvas) {
    Object.assign(this, { header, canvas, dirty: true, running: false, quality: 1, moving: 1, pace: 33, waiting: new Map(), tickets: 0 });
    this.picture = new Picture(canvas, header, scene);
    const changed = () => { this.dirty = true; this.stirred = performance.now(); };
    this.player = new Player(header, changed);
    this.controls = new Controls(canvas, header.distance, changed);
    this.rides = header.frames[0];
    addEventListener("resize", changed);
    this.startSorter(scene);
  }

  startSorter(scene) {
    const url = URL.createObjectURL(new Blob([element("sorter").textContent], { type: "text/javascript" }));
    this.sorter = new Worker(url);
    this.sorter.onmessage = ({ data }) => {
      const done = this.waiting.get(data.ticket);
      this.waiting.delete(data.ticket);
      done(data.order);
    };
    const { positions, motion, power, blocks, count } = scene, { gamma, nearest } = this.header;
    const layers = [...new Set(blocks.map(({ layer }) => layer))].sort((a, b) => b - a);
    const sent = { positions, motion, power, blocks, count, layers, gamma, nearest };
    this.sorter.postMessage({ scene: sent }, [positions.buffer, motion.buffer, power.buffer]);
  }

  /** The order for a view (rows of world-to-camera) and a time. */
  sort(view, time) {
    return new Promise((done) => {
      const ticket = ++this.tickets;
      this.waiting.set(ticket, done);
      this.sorter.postMessage({ view: view.slice(8), time, ticket });
    });
  }

  /** The camera of now: the clip's, as it rides along or was left, moved by what the user has done. */
  camera() {
    if (this.player.follow) this.rides = cameraAt(this.header.frames, fractionAt(this.player.seconds, this.player.position));
    return moveAround(this.rides, this.controls.offset, this.header.distance);
  }

  /** Size of the canvas, and how many of its pixels one of the clip's takes. */
  fit() {
    const { clientWidth, clientHeight } = this.canvas, { width, height } = this.header;
    const across = clientWidth / width, down = clientHeight / height, least = Math.min(across, down);
    const scale = Math.min(Math.max(across, down), MOST_CROPPED * least);
    const density = Math.min(devicePixelRatio || 1, MOST_PIXELS / scale) * this.quality;
    this.picture.resize(Math.max(1, Math.round(clientWidth * density)), Math.max(1, Math.round(clientHeight * density)));
    return scale * density;
  }

  lens(camera, scale) {
    const [fx, fy, cx, cy] = camera.lens, { width, height } = this.header;
    return [fx * scale, fy * scale, cx * scale + (this.canvas.width - width * scale) / 2,
            cy * scale + (this.canvas.height - height * scale) / 2];
  }

  draw() {
    const camera = this.camera(), view = viewOf(camera), time = this.player.time, wanted = [...view, time].join();
    if (wanted !== this.sortedFor && !this.sorting) {
      this.sorting = true;
      this.sort(view, time).then((order) => {
        this.picture.setOrder(order);
        Object.assign(this, { sorting: false, sortedFor: wanted, dirty: true });
        this.onFirst?.();
        this.onFirst = null;
      });
    }
    const scale = this.fit();
    // Nearer than the clip's camera was, the filter grows with what it was made for, so that surfaces stay closed.
    const grown = scale * Math.max(1, Math.min(Math.exp(this.controls.offset.nearer), 6));
    this.picture.draw(view, this.lens(camera, scale), time, BLUR * grown * grown);
  }

  start() {
    if (this.running) return;
    this.running = true;
    let last = performance.now();
    const tick = (now) => {
      if (!this.running) return;
      const seconds = Math.min((now - last) / 1000, 1);
      last = now;
      this.player.advance(seconds);
      this.controls.advance(seconds);
      this.pick(now, 1000 * seconds);
      if (this.dirty) { this.dirty = false; this.draw(); }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  stop() { this.running = false; }

  /** Fewer pixels while what moves is slow to draw, all of them when it rests. */
  pick(now, milliseconds) {
    const moving = this.player.playing || now - (this.stirred ?? 0) < 250;
    if (moving && this.dirty) {
      this.pace += 0.15 * (Math.min(milliseconds, 200) - this.pace);
      if (this.pace > SLOW && this.moving > 0.3) { this.moving *= 0.85; this.pace = 33; }
      else if (this.pace < QUICK && this.moving < 1) { this.moving = Math.min(1, this.moving * 1.1); this.pace = 33; }
    }
    const quality = moving ? this.moving : 1;
    if (quality !== this.quality) { this.quality = quality; this.dirty = true; }
  }
}
