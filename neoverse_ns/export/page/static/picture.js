// Draws Gaussians that are sorted already, by WebGL2.

function compile(gl, kind, id) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, document.getElementById(id).textContent.trim());
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

class Picture {
  constructor(canvas, header, scene) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" });
    if (!gl) throw new Error("no WebGL2");
    Object.assign(this, { canvas, gl, header, scene, count: 0 });
    this.program = gl.createProgram();
    gl.attachShader(this.program, compile(gl, gl.VERTEX_SHADER, "vertex"));
    gl.attachShader(this.program, compile(gl, gl.FRAGMENT_SHADER, "fragment"));
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(this.program));
    gl.useProgram(this.program);
    this.upload();
    this.rows = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.rows);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribIPointer(0, 1, gl.UNSIGNED_INT, 0, 0);
    gl.vertexAttribDivisor(0, 1);
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 1);
  }

  uniform(name) { return this.gl.getUniformLocation(this.program, name); }

  upload() {
    const { gl, scene, header } = this;
    ["places", "shapes", "motions", "turns"].forEach((name, unit) => {
      const texels = scene[name] ?? texelsFor(0);
      this.texture(name, unit, gl.RGBA32UI, TEXTURE_WIDTH, gl.RGBA_INTEGER, gl.UNSIGNED_INT, texels);
      scene[name] = null;   // the graphics card has them now
    });
    const lives = scene.blocks.flatMap((b) => [b.before, b.at, b.after, b.dynamic ? 1 : 0]);
    this.texture("lives", 4, gl.RGBA32F, scene.blocks.length, gl.RGBA, gl.FLOAT, new Float32Array(lives));
    gl.uniform1f(this.uniform("gamma"), header.gamma);
    gl.uniform1f(this.uniform("lifeFirst"), scene.lifeFirst);
    gl.uniform1f(this.uniform("lifeStep"), scene.lifeStep);
    gl.uniform1i(this.uniform("antialiased"), header.antialiased ? 1 : 0);
    gl.uniform1i(this.uniform("turning"), header.columns.some(({ name }) => name === "turn_0") ? 1 : 0);
  }

  texture(name, unit, stored, width, format, kind, texels) {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texImage2D(gl.TEXTURE_2D, 0, stored, width, texels.length / 4 / width, 0, format, kind, texels);
    gl.uniform1i(this.uniform(name), unit);
  }

  setOrder(order) {
    this.count = order.length;
    this.gl.bufferData(this.gl.ARRAY_BUFFER, order, this.gl.STREAM_DRAW);
  }

  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
  }

  /** view: rows of world-to-camera; lens: in pixels of the canvas; blur: variance of the pixel filter. */
  draw(view, lens, time, blur) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.uniformMatrix4fv(this.uniform("view"), true, [...view, 0, 0, 0, 1]);
    gl.uniform4fv(this.uniform("lens"), lens);
    gl.uniform2f(this.uniform("size"), canvas.width, canvas.height);
    gl.uniform1f(this.uniform("blur"), blur);
    gl.uniform1f(this.uniform("time"), time);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.count) gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count);
  }
}
