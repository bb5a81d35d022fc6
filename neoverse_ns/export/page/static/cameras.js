// Cameras: x right, y down, z forward; a rotation is a quaternion w, x, y, z from camera to world.

const lerp = (a, b, share) => a.map((value, i) => value + share * (b[i] - value));
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function normalised(q) {
  const length = Math.hypot(...q);
  return q.map((value) => value / length);
}

function multiply([a, b, c, d], [e, f, g, h]) {
  return [a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g,
          a * g - b * h + c * e + d * f, a * h + b * g - c * f + d * e];
}

function rotate([w, x, y, z], v) {
  const [a, b, c] = v;
  const t = [2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)];
  return [a + w * t[0] + y * t[2] - z * t[1], b + w * t[1] + z * t[0] - x * t[2], c + w * t[2] + x * t[1] - y * t[0]];
}

function slerp(from, to, share) {
  let dot = from.reduce((sum, value, i) => sum + value * to[i], 0);
  const end = dot < 0 ? to.map((value) => -value) : to;
  dot = Math.abs(dot);
  if (dot > 0.9999995) return normalised(lerp(from, end, share));
  const angle = Math.acos(dot), sine = Math.sin(angle);
  const a = Math.sin((1 - share) * angle) / sine, b = Math.sin(share * angle) / sine;
  return from.map((value, i) => a * value + b * end[i]);
}

/** Position of a time among ascending ones, as a fraction; those outside give the first or the last. */
function fractionAt(values, value) {
  const last = values.length - 1;
  if (last < 1 || value <= values[0]) return 0;
  if (value >= values[last]) return last;
  let after = 1;
  while (values[after] < value) after++;
  return after - 1 + (value - values[after - 1]) / (values[after] - values[after - 1]);
}

/** The clip's camera at a fractional frame. */
function cameraAt(frames, position) {
  const before = Math.min(Math.floor(position), Math.max(frames.length - 2, 0)), share = position - before;
  const a = frames[before], b = frames[Math.min(before + 1, frames.length - 1)];
  return { rotation: slerp(a.rotation, b.rotation, share), centre: lerp(a.centre, b.centre, share),
           lens: lerp(a.lens, b.lens, share) };
}

/** Rows of the world-to-camera matrix, [r00 r01 r02 t0, ...]. */
function viewOf({ rotation: [w, x, y, z], centre }) {
  const axes = [0, 1, 2].map((i) => rotate([w, x, y, z], [0, 1, 2].map((k) => (k === i ? 1 : 0))));
  return axes.flatMap((axis) => [...axis, -axis.reduce((sum, value, i) => sum + value * centre[i], 0)]);
}

/** The camera moved by what the user has done: circled about the point before it, nearer, and shifted. */
function moveAround(camera, { yaw, pitch, nearer, shift }, distance) {
  const turn = multiply([Math.cos(yaw / 2), 0, Math.sin(yaw / 2), 0], [Math.cos(pitch / 2), Math.sin(pitch / 2), 0, 0]);
  const out = rotate(turn, [shift[0], shift[1], -distance * Math.exp(-nearer)]);
  const step = rotate(camera.rotation, [out[0], out[1], out[2] + distance]);
  return { ...camera, rotation: multiply(camera.rotation, turn), centre: camera.centre.map((v, i) => v + step[i]) };
}
