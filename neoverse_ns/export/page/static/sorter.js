// Runs in a worker: which Gaussians are alive, in the order in which they are laid over each other.
"use strict";
let scene = null, depths = null, keys = null, rows = null, others = null, otherRows = null;
const low = new Uint32Array(65536), high = new Uint32Array(65536);

onmessage = ({ data }) => {
  if (data.scene) {
    scene = data.scene;
    depths = new Float32Array(scene.count);
    keys = new Uint32Array(depths.buffer);
    rows = new Uint32Array(scene.count);
    others = new Uint32Array(scene.count);
    otherRows = new Uint32Array(scene.count);
    return;
  }
  const order = sorted(data.view, data.time);
  postMessage({ order, ticket: data.ticket }, [order.buffer]);
};

/** How far a block is from its keyframe, 0 to 1; below 0 where it does not live. */
function distanceInTime(block, time) {
  if (!block.dynamic) return 0;
  const { before, at, after } = block;
  if (time <= before || time >= after) return -1;
  if (scene.nearest && (time > (at + after) / 2 || time <= (before + at) / 2)) return -1;
  return time > at ? (time - at) / (after - at) : (at - time) / (at - before);
}

/** Depths of a block's Gaussians that can be seen, from `count` on; returns how many there are then. */
function collect(block, view, time, count) {
  const x = distanceInTime(block, time);
  if (x < 0) return count;
  const { positions: p, motion: m, power } = scene, [a, b, c, d] = view, side = time > block.at ? 0 : 3;
  // exp(-gamma x^power) has then fallen to what is never drawn, however opaque.
  const weakest = x > 0 && scene.gamma > 0 ? Math.log(Math.log(255) / scene.gamma) / Math.log(x) : -1;
  for (let row = block.first, end = row + block.count; row < end; row++) {
    if (x > 0 && power[row] < weakest) continue;
    const i = 3 * row, k = 6 * row + side;
    let depth = a * p[i] + b * p[i + 1] + c * p[i + 2] + d;
    if (x > 0) depth += x * (a * m[k] + b * m[k + 1] + c * m[k + 2]);
    if (depth < 0.01) continue;
    depths[count] = depth;
    rows[count++] = row;
  }
  return count;
}

/** Sort the first `count` by depth, nearest first: the bits of positive floats rise as they do. */
function sortByDepth(count) {
  low.fill(0);
  high.fill(0);
  for (let i = 0; i < count; i++) { low[keys[i] & 65535]++; high[keys[i] >>> 16]++; }
  for (let i = 0, l = 0, h = 0; i < 65536; i++) {
    const inLow = low[i], inHigh = high[i];
    low[i] = l; high[i] = h;
    l += inLow; h += inHigh;
  }
  for (let i = 0; i < count; i++) { const to = low[keys[i] & 65535]++; others[to] = keys[i]; otherRows[to] = rows[i]; }
  for (let i = 0; i < count; i++) rows[high[others[i] >>> 16]++] = otherRows[i];
}

/** Rows from back to front: layer by layer, the last one behind all, each by depth. */
function sorted(view, time) {
  const parts = [];
  for (const layer of scene.layers) {
    let count = 0;
    for (const block of scene.blocks) if (block.layer === layer) count = collect(block, view, time, count);
    sortByDepth(count);
    parts.push(rows.slice(0, count).reverse());
  }
  const order = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { order.set(part, at); at += part.length; }
  return order;
}
