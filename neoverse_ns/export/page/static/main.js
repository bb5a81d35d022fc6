// Starts the page, and lets programs drive it: window.neoverse.

function fail(text) {
  element("message").hidden = false;
  element("message").classList.add("failed");
  element("message").querySelector("p").textContent = text;
}

/** Why this browser cannot play the page; null where it can. */
function missing() {
  if (!document.createElement("canvas").getContext("webgl2"))
    return "This page draws with WebGL2, which this browser does not offer here. Open it in a recent Firefox, Chrome, Edge or Safari with graphics acceleration switched on.";
  if (typeof DecompressionStream === "undefined")
    return "This browser is too old to unpack the scene (it has no DecompressionStream). Chrome 80, Firefox 113 and Safari 16.4 are the first that have it.";
  return null;
}

function keyboard(stage) {
  const { player, controls } = stage, turn = (dx, dy) => { controls.turn(dx, dy); controls.changed(); };
  const keys = {
    " ": () => player.toggle(), ArrowLeft: () => player.step(-1), ArrowRight: () => player.step(1),
    f: () => element("follow").click(), Home: () => controls.home(), Enter: () => element("full").click(),
    a: () => turn(-40, 0), d: () => turn(40, 0), w: () => turn(0, 40), s: () => turn(0, -40),
    "+": () => { controls.zoom(0.15); controls.changed(); }, "-": () => { controls.zoom(-0.15); controls.changed(); },
  };
  addEventListener("keydown", (event) => {
    const key = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("button, select") && (event.key === " " || event.key === "Enter")) return;
    event.preventDefault();
    key();
  });
}

function buttons(stage) {
  const { player, controls } = stage;
  element("follow").addEventListener("click", () => {
    player.follow = !player.follow;
    element("follow").classList.toggle("on", player.follow);
    element("follow").setAttribute("aria-pressed", String(player.follow));
    controls.changed();
  });
  element("home").addEventListener("click", () => {
    if (!player.follow) element("follow").click();
    controls.home();
  });
  element("full").addEventListener("click", () => {
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.();
  });
}

/** Hide what lies over the picture while it plays and nobody stirs. */
function hideWhenIdle(player) {
  let timer = 0;
  const stir = () => {
    document.body.classList.remove("idle");
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (player.playing && !element("controls").matches(":hover, :focus-within")) document.body.classList.add("idle");
    }, 2600);
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "focusin"]) addEventListener(kind, stir, { passive: true });
  stir();
}

/**
 * Draw once, apart from the page's own clock; returns a PNG as data URL.
 * time: normalised. camera: { c2w: 16 numbers row by row, lens: [fx, fy, cx, cy], width, height }, x right, y down,
 * z forward; without one the clip's camera of that time in the clip's size.
 */
async function drawOnce(stage, { time, camera }) {
  const { header, picture } = stage, times = header.frames.map((frame) => frame.time);
  let view, lens;
  if (camera) {
    const m = camera.c2w, axes = [0, 1, 2].map((k) => [m[k], m[4 + k], m[8 + k]]);
    view = axes.flatMap((a) => [...a, -(a[0] * m[3] + a[1] * m[7] + a[2] * m[11])]);
    lens = camera.lens;
  } else {
    const own = cameraAt(header.frames, fractionAt(times, time));
    view = viewOf(own);
    lens = own.lens;
  }
  picture.setOrder(await stage.sort(view, time));
  picture.resize(camera?.width ?? header.width, camera?.height ?? header.height);
  picture.draw(view, lens, time, BLUR);
  const url = picture.canvas.toDataURL("image/png");
  Object.assign(stage, { sortedFor: null, dirty: true });
  return url;
}

async function begin() {
  const lacks = missing();
  if (lacks) return fail(lacks);
  const header = JSON.parse(element("header").textContent);
  const bytes = await gunzip(fromBase64(element("data").textContent));
  element("data").remove();
  const scene = unpackScene(header, bytes), canvas = element("picture"), stage = new Stage(header, scene, canvas);
  canvas.addEventListener("webglcontextlost", () => {
    stage.stop();
    fail("The graphics card has dropped the scene. Load the page again.");
  });
  element("count").textContent = `${scene.count.toLocaleString("en")} Gaussians · ${header.frames.length} frames`;
  keyboard(stage);
  buttons(stage);
  hideWhenIdle(stage.player);
  await new Promise((shown) => { stage.onFirst = shown; stage.start(); });
  element("message").hidden = true;
  element("controls").hidden = false;
  element("hint").hidden = false;
  setTimeout(() => { element("hint").style.opacity = "0"; }, 6000);
  return {
    header,
    draw: (what) => drawOnce(stage, what),
    sort: (time) => stage.sort(viewOf(stage.camera()), time).then((order) => order.length),
    stop: () => stage.stop(),
    start: () => stage.start(),
    setTime: (time) => stage.player.set(stage.player.seconds[0] + timeToSecond(header.frames, time)),
    state: () => ({ time: stage.player.time, frame: stage.player.frame, playing: stage.player.playing,
                    follow: stage.player.follow, offset: stage.controls.offset, camera: stage.camera() }),
  };
}

function timeToSecond(frames, time) {
  const at = fractionAt(frames.map((frame) => frame.time), time), before = Math.floor(at);
  const a = frames[before].second, b = frames[Math.min(before + 1, frames.length - 1)].second;
  return a + (at - before) * (b - a);
}

window.neoverse = begin().catch((error) => {
  console.error(error);
  fail(`The scene cannot be shown: ${error.message ?? error}`);
  return null;
});
