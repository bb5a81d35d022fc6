#version 300 es
// A Gaussian's light at one pixel, ready to be laid over what lies behind.
precision highp float;
in vec2 place;
in vec4 light;
out vec4 colour;

void main() {
  float alpha = min(light.a * exp(-0.5 * dot(place, place)), 0.999);
  if (alpha < 1.0 / 255.0) discard;
  colour = vec4(light.rgb * alpha, alpha);
}
