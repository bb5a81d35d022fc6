#version 300 es
// One Gaussian: where it is now, and the ellipse outside which it is too faint to count.
precision highp float;
precision highp int;
precision highp usampler2D;
precision highp sampler2D;

layout(location = 0) in uint row;

uniform usampler2D places, shapes, motions, turns;
uniform sampler2D lives;
uniform mat4 view;          // world to camera: x right, y down, z forward
uniform vec4 lens;          // focal lengths and principal point, pixels
uniform vec2 size;          // pixels
uniform float blur;         // variance of the pixel filter, pixels squared
uniform float time, gamma, lifeFirst, lifeStep;
uniform bool antialiased, turning;

out vec2 place;
out vec4 light;

const float FAINT = 1.0 / 255.0, NEAR = 0.01, MARGIN = 0.15;

ivec2 texel(uint i) { return ivec2(int(i & 2047u), int(i >> 11)); }

mat3 rotation(vec4 q) {
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
              2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
              2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

vec3 toward(uvec4 halves, bool later) {
  vec2 a = unpackHalf2x16(halves.x), b = unpackHalf2x16(halves.y), c = unpackHalf2x16(halves.z);
  return later ? vec3(a, b.x) : vec3(b.y, c);
}

mat3 turn(vec3 w) {
  float angle = length(w);
  return rotation(angle < 1e-9 ? vec4(1, 0, 0, 0) : vec4(cos(angle / 2.0), sin(angle / 2.0) * w / angle));
}

void main() {
  gl_Position = vec4(0.0, 0.0, 2.0, 1.0);   // outside, should it not be drawn
  uvec4 p = texelFetch(places, texel(row), 0), s = texelFetch(shapes, texel(row), 0);
  vec3 mean = uintBitsToFloat(p.xyz);
  vec2 first = unpackHalf2x16(s.x), second = unpackHalf2x16(s.y), third = unpackHalf2x16(s.z);
  vec3 axis = vec3(first, second.x), scales = exp(vec3(second.y, third));
  mat3 turned = rotation(vec4(sqrt(max(0.0, 1.0 - dot(axis, axis))), axis));
  float opacity = float(s.w & 1023u) / 511.0;
  vec4 life = texelFetch(lives, ivec2(int(s.w >> 20), 0), 0);   // before, at, after, whether it moves
  if (life.w > 0.0) {
    if (time <= life.x || time >= life.z) return;
    bool later = time > life.y;
    float x = abs(time - life.y) / (later ? life.z - life.y : life.y - life.x);
    if (x > 0.0) {
      mean += x * toward(texelFetch(motions, texel(row), 0), later);
      if (turning) turned = turned * turn(x * toward(texelFetch(turns, texel(row), 0), later));
      float power = exp(lifeFirst + lifeStep * float((s.w >> 10) & 1023u));
      opacity *= exp(-gamma * exp(power * log(x)));
    }
  }

  vec3 c = (view * vec4(mean, 1.0)).xyz;
  if (c.z < NEAR) return;
  vec2 focal = lens.xy, middle = lens.zw;
  // The viewing angle of the projection's slope is held near the picture, outside which it would explode.
  vec2 margin = MARGIN * size / focal;
  vec2 slope = clamp(c.xy / c.z, -middle / focal - margin, (size - middle) / focal + margin);
  mat3 axes = mat3(view) * turned * mat3(scales.x, 0, 0, 0, scales.y, 0, 0, 0, scales.z);
  vec3 right = vec3(axes[0].x, axes[1].x, axes[2].x), down = vec3(axes[0].y, axes[1].y, axes[2].y);
  vec3 forward = vec3(axes[0].z, axes[1].z, axes[2].z);
  vec3 u = focal.x / c.z * (right - slope.x * forward), v = focal.y / c.z * (down - slope.y * forward);
  float sharpX = dot(u, u), xy = dot(u, v), sharpY = dot(v, v), xx = sharpX + blur, yy = sharpY + blur;
  float determinant = xx * yy - xy * xy;
  if (!(determinant > 0.0)) return;
  if (antialiased) opacity *= sqrt(max(0.0, (sharpX * sharpY - xy * xy) / determinant));
  if (opacity < FAINT) return;

  float middling = 0.5 * (xx + yy), apart = sqrt(max(0.0, middling * middling - determinant));
  vec2 lengths = sqrt(vec2(middling + apart, max(middling - apart, determinant / (middling + apart))));
  vec2 along = vec2(xy, middling + apart - xx);
  // Of a circle every direction is an axis.
  if (dot(along, along) < 1e-12 * middling * middling) along = xx >= yy ? vec2(1, 0) : vec2(0, 1);
  along = normalize(along);
  vec2 corner = vec2((gl_VertexID & 1) == 0 ? -1.0 : 1.0, (gl_VertexID & 2) == 0 ? -1.0 : 1.0);
  place = sqrt(2.0 * log(opacity / FAINT)) * corner;
  vec2 pixel = focal * c.xy / c.z + middle
      + place.x * lengths.x * along + place.y * lengths.y * vec2(-along.y, along.x);
  vec3 colour = vec3(p.w & 1023u, (p.w >> 10) & 1023u, p.w >> 20) / 255.0;
  light = vec4(colour, opacity);
  gl_Position = vec4(2.0 * pixel.x / size.x - 1.0, 1.0 - 2.0 * pixel.y / size.y, 0.0, 1.0);
}
