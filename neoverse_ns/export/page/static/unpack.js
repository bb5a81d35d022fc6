// The scene's numbers: from text to bytes, to columns, to what the graphics card and the sorter take.

const TEXTURE_WIDTH = 2048;

/** Bytes of base64 text, piece by piece, since one string of them all would need twice the memory. */
function fromBase64(text) {
  const trimmed = text.trim(), piece = 1 << 20, padding = trimmed.endsWith("==") ? 2 : trimmed.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array(trimmed.length / 4 * 3 - padding);
  let at = 0;
  for (let start = 0; start < trimmed.length; start += piece) {
    const part = atob(trimmed.slice(start, start + piece));
    for (let i = 0; i < part.length; i++) bytes[at++] = part.charCodeAt(i);
  }
  return bytes;
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Columns by name: bytes of a number lie apart, signs are folded in, and each is told from the one before. */
function readColumns(bytes, listed) {
  const columns = {};
  let start = 0;
  for (const { name, count, bytes: width } of listed) {
    const values = new Int32Array(count);
    for (let place = 0; place < width; place++, start += count)
      for (let i = 0; i < count; i++) values[i] |= bytes[start + i] << (8 * place);
    for (let i = 0, sum = 0; i < count; i++) {
      const folded = values[i];
      sum += (folded >>> 1) ^ -(folded & 1);
      values[i] = sum;
    }
    columns[name] = values;
  }
  return columns;
}

const floatOf = new Float32Array(1), bitsOf = new Uint32Array(floatOf.buffer);

/** A half-precision float's bits, rounded to the nearest. */
function half(value) {
  floatOf[0] = value;
  const bits = bitsOf[0], sign = bits >>> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return sign | 0x7bff;                      // as large as there is
  if (magnitude < 0x38800000) return sign | Math.round(Math.abs(floatOf[0]) * 16777216);
  return sign | (magnitude - 0x38000000 + 0xfff + (magnitude >>> 13 & 1)) >>> 13;
}

const halves = (a, b) => (half(a) | half(b) << 16) >>> 0;

function texelsFor(count) {
  return new Uint32Array(4 * TEXTURE_WIDTH * Math.max(1, Math.ceil(count / TEXTURE_WIDTH)));
}

/**
 * Everything there is to draw.
 * places: position (floats), colour; shapes: rotation, log-scales, opacity, life and block; motions, turns: toward the
 * next and toward the previous keyframe. Rows that move come first, so that motions end where they do.
 */
function unpackScene(header, bytes) {
  const { steps, blocks } = header, c = readColumns(bytes, header.columns);
  const count = c.azimuth.length, moving = c.life ? c.life.length : 0;
  const scene = {
    count, moving, blocks,
    positions: new Float32Array(3 * count), motion: new Float32Array(6 * moving), power: new Float32Array(moving),
    places: texelsFor(count), shapes: texelsFor(count), motions: texelsFor(moving),
    turns: c.turn_0 ? texelsFor(moving) : null,
  };
  const least = moving ? c.life.reduce((a, b) => Math.min(a, b)) : 0;
  scene.lifeFirst = least * steps.life;
  scene.lifeStep = steps.life;
  let row = 0;
  blocks.forEach((block, number) => {
    block.first = row;
    for (const end = row + block.count; row < end; row++) {
      const distance = Math.exp(c.distance[row] * steps.distance);
      unpackPlace(scene, c, steps, block.origin, distance, row);
      unpackShape(scene, c, steps, number, distance, least, row);
      if (block.dynamic) unpackMotion(scene, c, steps, distance, row);
    }
  });
  return scene;
}

function unpackPlace(scene, c, steps, origin, distance, row) {
  const azimuth = c.azimuth[row] * steps.direction, elevation = c.elevation[row] * steps.direction;
  const flat = distance * Math.cos(elevation), p = scene.positions, at = 3 * row, texel = 4 * row;
  p[at] = origin[0] + flat * Math.sin(azimuth);
  p[at + 1] = origin[1] + distance * Math.sin(elevation);
  p[at + 2] = origin[2] + flat * Math.cos(azimuth);
  for (let i = 0; i < 3; i++) {
    floatOf[0] = p[at + i];
    scene.places[texel + i] = bitsOf[0];
  }
  const colour = (value) => Math.max(0, Math.min(1023, Math.round(value * steps.colour * 255)));
  scene.places[texel + 3] = (colour(c.red[row]) | colour(c.green[row]) << 10 | colour(c.blue[row]) << 20) >>> 0;
}

function unpackShape(scene, c, steps, number, distance, least, row) {
  const first = Math.log(distance) + c.scale_0[row] * steps.scale, texel = 4 * row, s = scene.shapes;
  s[texel] = halves(c.rotation_0[row] * steps.rotation, c.rotation_1[row] * steps.rotation);
  s[texel + 1] = halves(c.rotation_2[row] * steps.rotation, first);
  s[texel + 2] = halves(first + c.scale_1[row] * steps.scale, first + c.scale_2[row] * steps.scale);
  const life = row < scene.moving ? Math.min(1023, c.life[row] - least) : 0;
  const opacity = Math.min(511, Math.round(c.opacity[row] * steps.opacity * 511));
  s[texel + 3] = (number << 20 | life << 10 | opacity) >>> 0;
}

function unpackMotion(scene, c, steps, distance, row) {
  const m = scene.motion, at = 6 * row, texel = 4 * row, unit = distance * steps.motion;
  for (let i = 0; i < 6; i++) m[at + i] = c[`motion_${i}`][row] * unit;
  for (let i = 0; i < 3; i++) scene.motions[texel + i] = halves(m[at + 2 * i], m[at + 2 * i + 1]);
  scene.power[row] = Math.exp(c.life[row] * steps.life);
  if (!scene.turns) return;
  for (let i = 0; i < 3; i++)
    scene.turns[texel + i] = halves(c[`turn_${2 * i}`][row] * steps.turn, c[`turn_${2 * i + 1}`][row] * steps.turn);
}
