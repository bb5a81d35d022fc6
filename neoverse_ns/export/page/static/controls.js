// What mouse, touch and keyboard do to the view: an offset from the clip's camera.

const AT_HOME = { yaw: 0, pitch: 0, nearer: 0, shift: [0, 0] };
const TURN_PER_HEIGHT = 2.4, STEEPEST = 1.45, NEAREST = 3, FARTHEST = -2;

class Controls {
  /** changed: called after every change; distance: to the point that is circled, world units. */
  constructor(canvas, distance, changed) {
    Object.assign(this, { canvas, distance, changed, offset: { ...AT_HOME }, pointers: new Map(), moved: 0 });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", () => this.home());
  }

  get away() {
    const { yaw, pitch, nearer, shift } = this.offset;
    return Boolean(yaw || pitch || nearer || shift[0] || shift[1]);
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.canvas.focus({ preventScroll: true });
    this.homing = false;
  }

  drag(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = [event.clientX, event.clientY], others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    const dx = now[0] - last[0], dy = now[1] - last[1];
    if (others.length) {
      // Each of two fingers does half of the shift; their distance brings nearer.
      const other = others[0][1], apart = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 8);
      this.zoom(Math.log(apart(now) / apart(last)));
      this.slide(dx / 2, dy / 2);
    } else if (event.buttons & 6 || event.shiftKey) this.slide(dx, dy);
    else this.turn(dx, dy);
    this.pointers.set(event.pointerId, now);
    this.changed();
  }

  turn(dx, dy) {
    const o = this.offset, part = TURN_PER_HEIGHT / this.canvas.clientHeight;
    this.offset = { ...o, yaw: o.yaw + dx * part, pitch: clamp(o.pitch - dy * part, -STEEPEST, STEEPEST) };
  }

  slide(dx, dy) {
    const o = this.offset, part = this.distance * Math.exp(-o.nearer) / this.canvas.clientHeight;
    this.offset = { ...o, shift: [o.shift[0] - dx * part, o.shift[1] - dy * part] };
  }

  zoom(amount) {
    this.offset = { ...this.offset, nearer: clamp(this.offset.nearer + amount, FARTHEST, NEAREST) };
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.homing = false;
    this.zoom(-clamp(event.deltaY * lines, -150, 150) * 0.0012);
    this.changed();
  }

  home() {
    // The short way round.
    this.offset = { ...this.offset, yaw: Math.atan2(Math.sin(this.offset.yaw), Math.cos(this.offset.yaw)) };
    this.homing = true;
    this.changed();
  }

  /** Ease back where that was asked for; seconds since the last picture. */
  advance(seconds) {
    if (!this.homing) return;
    const keep = Math.exp(-9 * seconds), { yaw, pitch, nearer, shift } = this.offset;
    this.offset = { yaw: yaw * keep, pitch: pitch * keep, nearer: nearer * keep, shift: shift.map((v) => v * keep) };
    if (Math.hypot(yaw, pitch, nearer, shift[0] / this.distance, shift[1] / this.distance) < 2e-3) {
      this.offset = { ...AT_HOME };
      this.homing = false;
    }
    this.changed();
  }
}
