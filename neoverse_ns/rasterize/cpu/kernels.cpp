// Rasterises 3D Gaussians on the CPU: forward and backward, float32, one camera per call.
//
// The image is the one gsplat's CUDA kernels draw (Kerbl et al. 2023 with Zwicker's EWA projection):
//   mean2d, cov2d  = pinhole projection, cov2d + eps2d on the diagonal, frustum clamp in the Jacobian;
//   alpha          = min(0.999, opacity * exp(-0.5 d^T cov2d^-1 d)), skipped below 1/255;
//   colour         = as given, or spherical harmonics at the direction from the camera plus 0.5, cut at 0;
//   compositing    = front to back, ending before the Gaussian that would bring the transmittance to 1e-4 or less.
//
// The caller (autograd.py) owns every buffer and calls the stages in this order:
//   forward   neoverse_project -> neoverse_bin -> neoverse_composite
//   backward  neoverse_slots -> neoverse_composite_backward -> neoverse_project_backward
// There is no mutable global state, so any number of threads may render at once. No sum depends on how work was divided
// among threads (no atomics on floats), so results are bitwise repeatable.
//
// Plain C++17 with the vector extensions that GCC and Clang share; beyond the standard library only the intrinsics of
// AVX-512, where the processor has it.
// NEOVERSE_STD_THREADS selects std::thread where OpenMP is missing; with neither, all runs on the caller's thread.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
// AVX-512 has a register for what is known of every lane; without it the vectors are half as long.
#if defined(__AVX512F__) && defined(__AVX512VL__)
#define NEOVERSE_AVX512
#include <immintrin.h>
#endif
#if !defined(_OPENMP) && defined(NEOVERSE_STD_THREADS)
#include <atomic>
#include <thread>
#include <vector>
#endif

// Everything that is constant during a call; mirrored field by field by `Frame` in library.py.
struct Frame {
  int32_t count;         // Gaussians
  int32_t width, height; // pixels
  int32_t colors;        // colour channels of the image
  int32_t depth;         // channel behind the colours: 0 none, 1 accumulated depth, 2 expected depth
  int32_t features;      // colours and depth, padded with zeros up to a compiled width
  int32_t antialiased;   // 1: multiply opacities by sqrt(det(cov2d) / det(cov2d + eps2d I))
  int32_t threads;
  int32_t sh_degree;     // highest band of the spherical harmonics that give the 3 colours; -1: colours are given
  int32_t sh_bands;      // coefficients per colour that lie in memory, (sh_degree + 1)^2 or more
  float eps2d, near_plane, far_plane, radius_clip;
};

namespace {

constexpr float MIN_ALPHA = 1.f / 255.f;
constexpr float MAX_ALPHA = 0.999f;
constexpr float MIN_TRANSMITTANCE = 1e-4f;
constexpr float MIN_WEIGHT = 1e-10f;    // smallest alpha that expected depth is divided by
constexpr float FRUSTUM_MARGIN = 0.3f;  // of half the field of view, beyond which the Jacobian is frozen
constexpr float MAX_EXTENT = 3.33f;     // standard deviations; 1/255 is reached before for every opacity <= 1
constexpr float LOG2_E = 1.44269504f;
constexpr float LOG2_MIN_ALPHA = -7.99435344f;

constexpr int TILE = 16;           // pixels along a tile's side
constexpr int MOMENTS = 6;         // gradient sums per Gaussian and tile ahead of its features
constexpr int REVIEW = 32;         // list positions after which blocks that need no more work are looked for
constexpr int AHEAD = 6;           // list positions that memory is asked for in advance
constexpr int PROJECT_CHUNK = 2048;  // Gaussians per unit of parallel work
constexpr int VIEW_SUMS = 15;      // what the view matrix's gradient is made of: 12 entries, 3 of the camera's place

// ------------------------------------------------------------------------------------------------------- threads

template <typename Body>
void parallel_for(int jobs, int threads, const Body& body) {
#if defined(_OPENMP)
  // Always the same number of threads, since OpenMP would end and start threads to change it.
  if (threads > 1 && jobs > 1) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int job = 0; job < jobs; job++) body(job);
    return;
  }
#elif defined(NEOVERSE_STD_THREADS)
  threads = std::min(threads, jobs);
  if (threads > 1) {
    std::atomic<int> next{0};
    auto work = [&] {
      for (int job; (job = next.fetch_add(1)) < jobs;) body(job);
    };
    std::vector<std::thread> helpers;
    for (int i = 1; i < threads; i++) helpers.emplace_back(work);
    work();
    for (auto& helper : helpers) helper.join();
    return;
  }
#endif
  (void)threads;
  for (int job = 0; job < jobs; job++) body(job);
}

// ------------------------------------------------------------------------------------------------- small vectors

struct Vec3 {
  float x, y, z;
};
struct Mat3 {
  Vec3 row[3];
};

inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(float s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
inline Vec3 scaled(Vec3 a, Vec3 s) { return {a.x * s.x, a.y * s.y, a.z * s.z}; }
inline float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(Vec3 a, Vec3 b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
inline Vec3 apply(const Mat3& m, Vec3 v) { return {dot(m.row[0], v), dot(m.row[1], v), dot(m.row[2], v)}; }
inline Vec3 apply_transposed(const Mat3& m, Vec3 v) { return v.x * m.row[0] + v.y * m.row[1] + v.z * m.row[2]; }
inline Mat3 multiply(const Mat3& a, const Mat3& b) {
  return {{apply_transposed(b, a.row[0]), apply_transposed(b, a.row[1]), apply_transposed(b, a.row[2])}};
}
inline Mat3 transposed(const Mat3& m) {
  const Vec3 a = m.row[0], b = m.row[1], c = m.row[2];
  return {{{a.x, b.x, c.x}, {a.y, b.y, c.y}, {a.z, b.z, c.z}}};
}
inline Vec3 load3(const float* p) { return {p[0], p[1], p[2]}; }
inline void store3(float* p, Vec3 v) { p[0] = v.x, p[1] = v.y, p[2] = v.z; }

// ---------------------------------------------------------------------------------------------------- projection

struct Camera {
  Mat3 rotation;  // world to camera
  Vec3 translation;
  Vec3 position;  // in the world
  float fx, fy, cx, cy;
  float min_x, max_x, min_y, max_y;  // limits of x/z and y/z in the Jacobian
};

Camera make_camera(const Frame& f, const float* viewmat, const float* intrinsics) {
  Camera c;
  for (int i = 0; i < 3; i++) c.rotation.row[i] = load3(viewmat + 4 * i);
  c.translation = {viewmat[3], viewmat[7], viewmat[11]};
  c.position = -1.f * apply_transposed(c.rotation, c.translation);
  c.fx = intrinsics[0], c.fy = intrinsics[4], c.cx = intrinsics[2], c.cy = intrinsics[5];
  const float margin_x = FRUSTUM_MARGIN * 0.5f * f.width / c.fx, margin_y = FRUSTUM_MARGIN * 0.5f * f.height / c.fy;
  c.min_x = -(c.cx / c.fx + margin_x), c.max_x = (f.width - c.cx) / c.fx + margin_x;
  c.min_y = -(c.cy / c.fy + margin_y), c.max_y = (f.height - c.cy) / c.fy + margin_y;
  return c;
}

struct Quaternion {
  float w, x, y, z, inverse_norm;
};

inline Quaternion normalised(const float* q) {
  const float inverse = 1.f / std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  return {q[0] * inverse, q[1] * inverse, q[2] * inverse, q[3] * inverse, inverse};
}

inline Mat3 rotation_matrix(const Quaternion& q) {
  const float w = q.w, x = q.x, y = q.y, z = q.z;
  return {{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
           {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
           {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
}

// Gradient of a loss with respect to the unnormalised quaternion, from that with respect to its rotation matrix.
inline void rotation_matrix_backward(const Quaternion& q, const Mat3& v, float* out) {
  const float w = q.w, x = q.x, y = q.y, z = q.z;
  const Vec3 a = v.row[0], b = v.row[1], c = v.row[2];
  const float g[4] = {
      2 * (x * (c.y - b.z) + y * (a.z - c.x) + z * (b.x - a.y)),
      2 * (w * (c.y - b.z) - 2 * x * (b.y + c.z) + y * (a.y + b.x) + z * (a.z + c.x)),
      2 * (w * (a.z - c.x) + x * (a.y + b.x) - 2 * y * (a.x + c.z) + z * (b.z + c.y)),
      2 * (w * (b.x - a.y) + x * (a.z + c.x) + y * (b.z + c.y) - 2 * z * (a.x + b.y)),
  };
  const float n[4] = {w, x, y, z};
  const float along = g[0] * w + g[1] * x + g[2] * y + g[3] * z;  // the norm does not matter, so this part vanishes
  for (int i = 0; i < 4; i++) out[i] = (g[i] - along * n[i]) * q.inverse_norm;
}

// The 2D Gaussian of one 3D Gaussian, with the intermediate values that its derivative needs.
struct Projection {
  Vec3 mean;        // camera coordinates
  float rz;         // 1 / depth
  float tx, ty;     // mean.x and mean.y with the viewing angle clamped
  Quaternion quat;
  Mat3 rotation;    // of the Gaussian
  Mat3 axes;        // camera rotation * rotation * diag(scale): the Gaussian's axes in camera coordinates
  Vec3 u, v;        // Jacobian rows times axes, so that cov2d = [u.u, u.v; u.v, v.v]
  float xx, xy, yy; // cov2d + eps2d
  float sharp_det, det;  // determinants without and with eps2d
};

inline Projection project_one(const Camera& c, float eps2d, const float* mean, const float* quat, const float* scale) {
  Projection p;
  p.mean = apply(c.rotation, load3(mean)) + c.translation;
  p.quat = normalised(quat);
  p.rotation = rotation_matrix(p.quat);
  const Vec3 s = load3(scale);
  p.axes = multiply(c.rotation, p.rotation);
  for (auto& row : p.axes.row) row = scaled(row, s);
  p.rz = 1.f / p.mean.z;
  p.tx = p.mean.z * std::min(c.max_x, std::max(c.min_x, p.mean.x * p.rz));
  p.ty = p.mean.z * std::min(c.max_y, std::max(c.min_y, p.mean.y * p.rz));
  p.u = (c.fx * p.rz) * p.axes.row[0] + (-c.fx * p.tx * p.rz * p.rz) * p.axes.row[2];
  p.v = (c.fy * p.rz) * p.axes.row[1] + (-c.fy * p.ty * p.rz * p.rz) * p.axes.row[2];
  const float uu = dot(p.u, p.u), vv = dot(p.v, p.v);
  const Vec3 area = cross(p.u, p.v);
  p.xx = uu + eps2d, p.xy = dot(p.u, p.v), p.yy = vv + eps2d;
  // Lagrange's identity avoids the cancellation of uu * vv - uv^2 for thin Gaussians.
  p.sharp_det = dot(area, area);
  p.det = p.sharp_det + eps2d * (uu + vv + eps2d);
  return p;
}

// What compositing reads of a Gaussian; its features follow in memory.
struct Splat {
  float x, y;              // centre, pixels
  float qxx, qxy, qyy;     // log2(alpha / opacity) = qxx dx dx + qxy dx dy + qyy dy dy
  float log2_opacity;
  // Where alpha >= 1/255 on the line at distance dy: dx = slant dy +- sqrt(reach - narrowing dy dy), pixels.
  float slant, reach, narrowing;
};
constexpr int SPLAT = sizeof(Splat) / sizeof(float);

struct TileBox {
  int32_t x0, y0, x1, y1;  // half-open, in tiles
  int32_t area() const { return (x1 - x0) * (y1 - y0); }
};

inline int tiles_along(int pixels) { return (pixels + TILE - 1) / TILE; }

inline float effective_opacity(const Frame& f, const Projection& p, float opacity) {
  return f.antialiased ? opacity * std::sqrt(p.sharp_det / p.det) : opacity;
}

// Gradients that reach one projected Gaussian.
struct SplatGradient {
  float x, y;              // centre
  float cxx, cxy, cyy;     // entries of cov2d^-1, the off-diagonal one standing for both
  float strength;          // effective opacity
  float depth;
};

// Turns sums of (gradient of the exponent) times powers of the distance to the centre into gradients of the splat.
SplatGradient splat_gradient(const Projection& p, const float* moments, float strength, float v_depth) {
  const float s0 = moments[0], sx = moments[1], sy = moments[2];
  const float inverse = 1.f / p.det, cxx = p.yy * inverse, cxy = -p.xy * inverse, cyy = p.xx * inverse;
  return {-(cxx * sx + cxy * sy), -(cxy * sx + cyy * sy), -0.5f * moments[3], -moments[4], -0.5f * moments[5],
          s0 / strength, v_depth};
}

struct GaussianGradient {
  Vec3 mean, scale;
  float quat[4];
  float opacity;
  Vec3 camera_mean;  // with `camera_axes`, what the view matrix's gradient needs
  Mat3 camera_axes;
};

GaussianGradient project_one_backward(const Frame& f, const Camera& c, const Projection& p, const SplatGradient& g,
                                      const float* scale, float opacity) {
  GaussianGradient out;
  // cov2d: the derivative of an inverse is -C^-1 dC C^-1.
  const float inverse = 1.f / p.det, a = p.yy * inverse, b = -p.xy * inverse, d = p.xx * inverse;
  const float h = 0.5f * g.cxy;
  const float t00 = a * g.cxx + b * h, t01 = a * h + b * g.cyy, t10 = b * g.cxx + d * h, t11 = b * h + d * g.cyy;
  float v_xx = -(t00 * a + t01 * b), v_xy = -2.f * (t00 * b + t01 * d), v_yy = -(t10 * b + t11 * d);
  out.opacity = g.strength;
  if (f.antialiased) {
    const float ratio = p.sharp_det / p.det, factor = std::sqrt(ratio);
    out.opacity = g.strength * factor;
    const float k = 0.5f * g.strength * opacity / (factor * p.det);
    v_xx += k * (p.yy - f.eps2d - ratio * p.yy);
    v_yy += k * (p.xx - f.eps2d - ratio * p.xx);
    v_xy += k * -2.f * p.xy * (1.f - ratio);
  }
  const Vec3 v_u = (2.f * v_xx) * p.u + v_xy * p.v, v_v = (2.f * v_yy) * p.v + v_xy * p.u;

  // Axes and Jacobian entries j00 = fx/z, j02 = -fx tx/z^2, j11 = fy/z, j12 = -fy ty/z^2.
  const float rz = p.rz, rz2 = rz * rz, rz3 = rz2 * rz;
  const float j00 = c.fx * rz, j02 = -c.fx * p.tx * rz2, j11 = c.fy * rz, j12 = -c.fy * p.ty * rz2;
  out.camera_axes = {{j00 * v_u, j11 * v_v, j02 * v_u + j12 * v_v}};
  const float v_j00 = dot(v_u, p.axes.row[0]), v_j02 = dot(v_u, p.axes.row[2]);
  const float v_j11 = dot(v_v, p.axes.row[1]), v_j12 = dot(v_v, p.axes.row[2]);

  Vec3 m{j00 * g.x, j11 * g.y, g.depth - (c.fx * p.mean.x * g.x + c.fy * p.mean.y * g.y) * rz2};
  m.z += -rz2 * (c.fx * v_j00 + c.fy * v_j11) + 2.f * rz3 * (c.fx * p.tx * v_j02 + c.fy * p.ty * v_j12);
  // Inside the frustum tx is mean.x; outside it is depth times a constant.
  const float angle_x = p.mean.x * rz, angle_y = p.mean.y * rz;
  if (angle_x >= c.min_x && angle_x <= c.max_x) m.x -= c.fx * rz2 * v_j02;
  else m.z -= c.fx * rz3 * p.tx * v_j02;
  if (angle_y >= c.min_y && angle_y <= c.max_y) m.y -= c.fy * rz2 * v_j12;
  else m.z -= c.fy * rz3 * p.ty * v_j12;
  out.camera_mean = m;
  out.mean = apply_transposed(c.rotation, m);

  const Mat3 v_axes = multiply(transposed(c.rotation), out.camera_axes);  // of rotation * diag(scale)
  out.scale = scaled(p.rotation.row[0], v_axes.row[0]) + scaled(p.rotation.row[1], v_axes.row[1]) +
              scaled(p.rotation.row[2], v_axes.row[2]);
  const Vec3 s = load3(scale);
  const Mat3 v_rotation{{scaled(v_axes.row[0], s), scaled(v_axes.row[1], s), scaled(v_axes.row[2], s)}};
  rotation_matrix_backward(p.quat, v_rotation, out.quat);
  return out;
}

// Adds what one Gaussian contributes to the gradient of the view matrix's upper three rows.
inline void add_view_gradient(const Projection& p, const GaussianGradient& g, Vec3 mean, Vec3 scale, double* view) {
  Mat3 world_axes = p.rotation;
  for (auto& row : world_axes.row) row = scaled(row, scale);
  const Mat3 v_rotation = multiply(g.camera_axes, transposed(world_axes));
  const float v_translation[3] = {g.camera_mean.x, g.camera_mean.y, g.camera_mean.z};
  for (int r = 0; r < 3; r++) {
    const Vec3 row = v_rotation.row[r] + v_translation[r] * mean;
    view[4 * r] += row.x, view[4 * r + 1] += row.y, view[4 * r + 2] += row.z, view[4 * r + 3] += v_translation[r];
  }
}

// ------------------------------------------------------------------------------------------- spherical harmonics

constexpr int MAX_BANDS = 16;
constexpr float SH0 = 0.28209479177387814f, SH1 = 0.4886025119029199f;
constexpr float SH2_XY = 1.0925484305920792f, SH2_ZZ = 0.31539156525252005f, SH2_XX = 0.5462742152960396f;
constexpr float SH3_3 = 0.5900435899266435f, SH3_2 = 2.890611442640554f, SH3_1 = 0.4570457994644658f;
constexpr float SH3_0 = 0.3731763325901154f, SH3_XX = 1.445305721320277f;

inline int bands_of(int degree) { return (degree + 1) * (degree + 1); }

// Values at the unit vector d, in the order and with the signs of `sh_basis` in spherical_harmonics.py.
inline void sh_basis(Vec3 d, int degree, float* out) {
  const float x = d.x, y = d.y, z = d.z, xx = x * x, yy = y * y, zz = z * z;
  out[0] = SH0;
  if (degree < 1) return;
  out[1] = -SH1 * y, out[2] = SH1 * z, out[3] = -SH1 * x;
  if (degree < 2) return;
  out[4] = SH2_XY * x * y, out[5] = -SH2_XY * y * z, out[6] = SH2_ZZ * (2 * zz - xx - yy);
  out[7] = -SH2_XY * x * z, out[8] = SH2_XX * (xx - yy);
  if (degree < 3) return;
  out[9] = -SH3_3 * y * (3 * xx - yy), out[10] = SH3_2 * x * y * z, out[11] = -SH3_1 * y * (4 * zz - xx - yy);
  out[12] = SH3_0 * z * (2 * zz - 3 * xx - 3 * yy), out[13] = -SH3_1 * x * (4 * zz - xx - yy);
  out[14] = SH3_XX * z * (xx - yy), out[15] = -SH3_3 * x * (xx - 3 * yy);
}

// Derivatives of the same polynomials with respect to x, y and z.
inline void sh_slopes(Vec3 d, int degree, Vec3* out) {
  const float x = d.x, y = d.y, z = d.z, xx = x * x, yy = y * y, zz = z * z;
  out[0] = {0.f, 0.f, 0.f};
  if (degree < 1) return;
  out[1] = {0.f, -SH1, 0.f}, out[2] = {0.f, 0.f, SH1}, out[3] = {-SH1, 0.f, 0.f};
  if (degree < 2) return;
  out[4] = SH2_XY * Vec3{y, x, 0.f}, out[5] = -SH2_XY * Vec3{0.f, z, y}, out[6] = 2 * SH2_ZZ * Vec3{-x, -y, 2 * z};
  out[7] = -SH2_XY * Vec3{z, 0.f, x}, out[8] = 2 * SH2_XX * Vec3{x, -y, 0.f};
  if (degree < 3) return;
  out[9] = -3 * SH3_3 * Vec3{2 * x * y, xx - yy, 0.f};
  out[10] = SH3_2 * Vec3{y * z, x * z, x * y};
  out[11] = -SH3_1 * Vec3{-2 * x * y, 4 * zz - xx - 3 * yy, 8 * y * z};
  out[12] = 3 * SH3_0 * Vec3{-2 * x * z, -2 * y * z, 2 * zz - xx - yy};
  out[13] = -SH3_1 * Vec3{4 * zz - 3 * xx - yy, -2 * x * y, 8 * x * z};
  out[14] = SH3_XX * Vec3{2 * x * z, -2 * y * z, xx - yy};
  out[15] = -3 * SH3_3 * Vec3{xx - yy, -2 * x * y, 0.f};
}

// A Gaussian seen from the camera's place. The position of either matters to colour only through this direction.
struct ViewedColor {
  Vec3 direction;  // unit
  float inverse_distance;
  float basis[MAX_BANDS];
  float raw[3];  // colours before they are cut at 0
};

inline ViewedColor viewed_color(const Frame& f, const Camera& c, const float* mean, const float* sh) {
  ViewedColor seen;
  const Vec3 away = load3(mean) - c.position;
  seen.inverse_distance = 1.f / std::sqrt(dot(away, away));
  seen.direction = seen.inverse_distance * away;
  sh_basis(seen.direction, f.sh_degree, seen.basis);
  for (float& value : seen.raw) value = 0.5f;
  for (int band = 0; band < bands_of(f.sh_degree); band++)
    for (int k = 0; k < 3; k++) seen.raw[k] += seen.basis[band] * sh[3 * band + k];
  return seen;
}

// Writes the gradient of all coefficients of one Gaussian and returns that of its mean.
inline Vec3 viewed_color_backward(const Frame& f, const ViewedColor& seen, const float* sh, const float* v_color,
                                  float* v_sh) {
  float v_raw[3];
  for (int k = 0; k < 3; k++) v_raw[k] = seen.raw[k] >= 0.f ? v_color[k] : 0.f;
  Vec3 slopes[MAX_BANDS], v_direction{0.f, 0.f, 0.f};
  sh_slopes(seen.direction, f.sh_degree, slopes);
  for (int band = 0; band < bands_of(f.sh_degree); band++) {
    for (int k = 0; k < 3; k++) v_sh[3 * band + k] = seen.basis[band] * v_raw[k];
    v_direction = v_direction + dot(load3(v_raw), load3(sh + 3 * band)) * slopes[band];
  }
  // The direction has unit length, so that only what is across it counts.
  return seen.inverse_distance * (v_direction - dot(v_direction, seen.direction) * seen.direction);
}

// ---------------------------------------------------------------------------------------------------------- SIMD

// A block of 4 x 4 pixels, or 4 x 2 without AVX-512, is one vector. Blocks fit round Gaussians of a few pixels better
// than rows do.
#if defined(NEOVERSE_AVX512)
constexpr int LANES = 16;
#else
constexpr int LANES = 8;
#endif
constexpr int BLOCK_WIDTH = 4, BLOCK_HEIGHT = LANES / BLOCK_WIDTH;
constexpr int BLOCK_COLUMNS = TILE / BLOCK_WIDTH, BLOCK_ROWS = TILE / BLOCK_HEIGHT;
constexpr int BLOCKS = BLOCK_COLUMNS * BLOCK_ROWS;
constexpr uint32_t ALL_BLOCKS = ~0u >> (32 - BLOCKS);
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));

#define NEOVERSE_INLINE inline __attribute__((always_inline))

// What is known of every lane: a bit each where the processor has registers for that, else all bits set or none.
#if defined(NEOVERSE_AVX512)
typedef __mmask16 Mask;
NEOVERSE_INLINE Floats splat(float v) { return (Floats)_mm512_set1_ps(v); }
NEOVERSE_INLINE Ints splat(int32_t v) { return (Ints)_mm512_set1_epi32(v); }
NEOVERSE_INLINE Mask at_least(Floats a, Floats b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GE_OQ); }
NEOVERSE_INLINE Mask above(Floats a, Floats b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ); }
NEOVERSE_INLINE Mask at_least(Ints a, Ints b) { return _mm512_cmpge_epi32_mask((__m512i)a, (__m512i)b); }
NEOVERSE_INLINE Floats select(Mask mask, Floats yes, Floats no) {
  return (Floats)_mm512_mask_mov_ps((__m512)no, mask, (__m512)yes);
}
NEOVERSE_INLINE Ints select(Mask mask, Ints yes, Ints no) {
  return (Ints)_mm512_mask_mov_epi32((__m512i)no, mask, (__m512i)yes);
}
NEOVERSE_INLINE Floats masked(Mask mask, Floats v) { return (Floats)_mm512_maskz_mov_ps(mask, (__m512)v); }
NEOVERSE_INLINE Ints masked(Mask mask, Ints v) { return (Ints)_mm512_maskz_mov_epi32(mask, (__m512i)v); }
NEOVERSE_INLINE bool any(Mask mask) { return mask != 0; }
NEOVERSE_INLINE Floats minimum(Floats a, Floats b) { return (Floats)_mm512_min_ps((__m512)a, (__m512)b); }
NEOVERSE_INLINE Floats maximum(Floats a, Floats b) { return (Floats)_mm512_max_ps((__m512)a, (__m512)b); }
// Of numbers of at least 1e-30, with a relative error of 1e-4.
NEOVERSE_INLINE Floats about_square_root(Floats v) { return v * (Floats)_mm512_rsqrt14_ps((__m512)v); }
#else
typedef Ints Mask;
// Written out because GCC turns only this form into one broadcast instruction.
NEOVERSE_INLINE Floats splat(float v) { return Floats{v, v, v, v, v, v, v, v}; }
NEOVERSE_INLINE Ints splat(int32_t v) { return Ints{v, v, v, v, v, v, v, v}; }
NEOVERSE_INLINE Mask at_least(Floats a, Floats b) { return a >= b; }
NEOVERSE_INLINE Mask above(Floats a, Floats b) { return a > b; }
NEOVERSE_INLINE Mask at_least(Ints a, Ints b) { return a >= b; }
NEOVERSE_INLINE Ints select(Mask mask, Ints yes, Ints no) { return (mask & yes) | (~mask & no); }
NEOVERSE_INLINE Floats select(Mask mask, Floats yes, Floats no) { return (Floats)select(mask, (Ints)yes, (Ints)no); }
NEOVERSE_INLINE Floats masked(Mask mask, Floats v) { return (Floats)(mask & (Ints)v); }
NEOVERSE_INLINE Ints masked(Mask mask, Ints v) { return mask & v; }
NEOVERSE_INLINE Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
NEOVERSE_INLINE Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
NEOVERSE_INLINE Floats about_square_root(Floats v) {
  for (int i = 0; i < LANES; i++) v[i] = std::sqrt(v[i]);
  return v;
}
#endif

#if defined(NEOVERSE_AVX512)
// The sum of each of N vectors: pairs are folded into one, until every lane holds the sum of another vector.
template <int N>
NEOVERSE_INLINE void sums(const Floats* v, float* out) {
  static_assert(N <= LANES, "one lane for each");
  __m512 w[LANES];
  for (int i = 0; i < LANES; i++) w[i] = i < N ? (__m512)v[i] : _mm512_setzero_ps();
  for (int i = 0; i < 8; i++)
    w[i] = _mm512_add_ps(_mm512_shuffle_f32x4(w[2 * i], w[2 * i + 1], 0x44),
                         _mm512_shuffle_f32x4(w[2 * i], w[2 * i + 1], 0xEE));
  for (int i = 0; i < 4; i++)
    w[i] = _mm512_add_ps(_mm512_shuffle_f32x4(w[2 * i], w[2 * i + 1], 0x88),
                         _mm512_shuffle_f32x4(w[2 * i], w[2 * i + 1], 0xDD));
  for (int i = 0; i < 2; i++)
    w[i] = _mm512_add_ps(_mm512_unpacklo_ps(w[2 * i], w[2 * i + 1]), _mm512_unpackhi_ps(w[2 * i], w[2 * i + 1]));
  const __m512 all = _mm512_add_ps(_mm512_shuffle_ps(w[0], w[1], 0x44), _mm512_shuffle_ps(w[0], w[1], 0xEE));
  // Lane 4 i + j holds the sum of vector 4 j + i.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_mask_storeu_ps(out, __mmask16((1u << N) - 1), _mm512_permutexvar_ps(order, all));
}
NEOVERSE_INLINE Floats reciprocal(Floats v) {  // one step of Newton's method: relative error below 1e-8
  const Floats about = (Floats)_mm512_rcp14_ps((__m512)v);
  return about * (splat(2.f) - v * about);
}
#else
template <int N>
NEOVERSE_INLINE void sums(const Floats* v, float* out) {
  for (int i = 0; i < N; i++) {
    const Floats w = v[i];
    out[i] = ((w[0] + w[4]) + (w[1] + w[5])) + ((w[2] + w[6]) + (w[3] + w[7]));
  }
}
NEOVERSE_INLINE Floats reciprocal(Floats v) { return splat(1.f) / v; }
#endif

#if defined(NEOVERSE_AVX512)
NEOVERSE_INLINE uint32_t any_bits(Ints v) { return uint32_t(_mm512_reduce_or_epi32((__m512i)v)); }
#else
NEOVERSE_INLINE uint32_t any_bits(Ints v) {
  uint64_t parts[LANES / 2];
  std::memcpy(parts, &v, sizeof parts);
  const uint64_t all = (parts[0] | parts[1]) | (parts[2] | parts[3]);
  return uint32_t(all | all >> 32);
}
NEOVERSE_INLINE bool any(Mask mask) { return any_bits(mask) != 0; }
#endif

// 2^x for x <= 0 with a relative error of 1e-7: 2^round(x) times a minimax polynomial on [-0.5, 0.5].
NEOVERSE_INLINE Floats exp2_negative(Floats x) {
#if defined(NEOVERSE_AVX512)
  const Floats whole = (Floats)_mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const Floats f = x - whole;
#else
  x = maximum(x, splat(-126.f));
  const Ints whole = __builtin_convertvector(x - splat(0.5f), Ints);  // truncation rounds to nearest for x <= 0
  const Floats f = x - __builtin_convertvector(whole, Floats);
#endif
  Floats p = splat(1.32647273e-3f);
  p = p * f + splat(9.67151299e-3f);
  p = p * f + splat(5.55073358e-2f);
  p = p * f + splat(2.40222424e-1f);
  p = p * f + splat(6.93147004e-1f);
  p = p * f + splat(1.f);
#if defined(NEOVERSE_AVX512)
  return (Floats)_mm512_scalef_ps((__m512)p, (__m512)whole);
#else
  return (Floats)((Ints)p + (whole << 23));
#endif
}

NEOVERSE_INLINE Ints floor_positive(Floats v) { return __builtin_convertvector(v, Ints); }
NEOVERSE_INLINE Floats ceil_positive(Floats v) {
  const Floats whole = __builtin_convertvector(floor_positive(v), Floats);
  return whole + masked(above(v, whole), splat(1.f));
}
NEOVERSE_INLINE Floats clamped(Floats v, float low, float high) { return minimum(maximum(v, splat(low)), splat(high)); }
NEOVERSE_INLINE Floats square_root(Floats v) {
  for (int i = 0; i < LANES; i++) v[i] = std::sqrt(v[i]);
  return v;
}

// log2 of positive numbers, absolute error 1e-7: the exponent, and the series of artanh for what is left.
NEOVERSE_INLINE Floats log2_positive(Floats v) {
  const Ints bits = (Ints)v, exponent = (bits - splat(0x3F3504F3)) >> 23;  // leaves [sqrt(1/2), sqrt(2)]
  const Floats m = (Floats)(bits - (exponent << 23)), t = (m - splat(1.f)) / (m + splat(1.f)), tt = t * t;
  const Floats series = splat(1.f) + tt * (splat(1 / 3.f) + tt * (splat(1 / 5.f) + tt * splat(1 / 7.f)));
  return __builtin_convertvector(exponent, Floats) + splat(2 * LOG2_E) * t * series;
}

// -------------------------------------------------------------------------------------------- projecting many

// What drawing needs of several projected Gaussians, one in each lane; see Splat and Projection.
struct Splats {
  Floats x, y, qxx, qxy, qyy, log2_opacity, slant, reach, narrowing, depth, radius_x, radius_y;
  Mask seen;
};

// One coordinate of several Gaussians; those beyond the last repeat it.
NEOVERSE_INLINE Floats gathered(const float* values, int stride, int first, int count) {
  Floats v;
  for (int lane = 0; lane < LANES; lane++) v[lane] = values[int64_t(std::min(first + lane, count - 1)) * stride];
  return v;
}

// The same as project_one. Conditions are written so that NaN counts as unseen.
NEOVERSE_INLINE Splats project_lanes(const Frame& f, const Camera& c, const float* means, const float* quats,
                                     const float* scales, const float* opacities, int first) {
  const auto row = [&](const Vec3& r, Floats x, Floats y, Floats z) {
    return splat(r.x) * x + splat(r.y) * y + splat(r.z) * z;
  };
  const auto load = [&](const float* values, int stride) { return gathered(values, stride, first, f.count); };
  const Floats wx = load(means, 3), wy = load(means + 1, 3), wz = load(means + 2, 3);
  const Floats mx = row(c.rotation.row[0], wx, wy, wz) + splat(c.translation.x);
  const Floats my = row(c.rotation.row[1], wx, wy, wz) + splat(c.translation.y);
  const Floats mz = row(c.rotation.row[2], wx, wy, wz) + splat(c.translation.z);
  const Floats one = splat(1.f), two = splat(2.f), zero = splat(0.f), rz = one / mz;

  Floats w = load(quats, 4), x = load(quats + 1, 4), y = load(quats + 2, 4), z = load(quats + 3, 4);
  const Floats inverse = one / square_root(w * w + x * x + y * y + z * z);
  w *= inverse, x *= inverse, y *= inverse, z *= inverse;
  const Floats sx = load(scales, 3), sy = load(scales + 1, 3), sz = load(scales + 2, 3);
  // Columns of the Gaussian's rotation, each times its scale.
  const Floats a0 = (one - two * (y * y + z * z)) * sx, a1 = two * (x * y + w * z) * sx, a2 = two * (x * z - w * y) * sx;
  const Floats b0 = two * (x * y - w * z) * sy, b1 = (one - two * (x * x + z * z)) * sy, b2 = two * (y * z + w * x) * sy;
  const Floats c0 = two * (x * z + w * y) * sz, c1 = two * (y * z - w * x) * sz, c2 = (one - two * (x * x + y * y)) * sz;
  const Floats tx = mz * clamped(mx * rz, c.min_x, c.max_x), ty = mz * clamped(my * rz, c.min_y, c.max_y);
  const Floats jx = splat(c.fx) * rz, jxz = -splat(c.fx) * tx * rz * rz;
  const Floats jy = splat(c.fy) * rz, jyz = -splat(c.fy) * ty * rz * rz;
  const auto along = [&](const Vec3& r, Floats j, Floats jz, Floats p, Floats q, Floats s) {
    return j * row(r, p, q, s) + jz * row(c.rotation.row[2], p, q, s);
  };
  const Vec3 &rx = c.rotation.row[0], &ry = c.rotation.row[1];
  const Floats u0 = along(rx, jx, jxz, a0, a1, a2), u1 = along(rx, jx, jxz, b0, b1, b2),
               u2 = along(rx, jx, jxz, c0, c1, c2);
  const Floats v0 = along(ry, jy, jyz, a0, a1, a2), v1 = along(ry, jy, jyz, b0, b1, b2),
               v2 = along(ry, jy, jyz, c0, c1, c2);
  const Floats uu = u0 * u0 + u1 * u1 + u2 * u2, vv = v0 * v0 + v1 * v1 + v2 * v2;
  const Floats n0 = u1 * v2 - u2 * v1, n1 = u2 * v0 - u0 * v2, n2 = u0 * v1 - u1 * v0;
  const Floats eps = splat(f.eps2d), xx = uu + eps, yy = vv + eps, xy = u0 * v0 + u1 * v1 + u2 * v2;
  const Floats sharp_det = n0 * n0 + n1 * n1 + n2 * n2, det = sharp_det + eps * (uu + vv + eps);

  Splats s;
  Floats strength = load(opacities, 1);
  if (f.antialiased) strength *= square_root(sharp_det / det);
  s.seen = at_least(mz, splat(f.near_plane)) & at_least(splat(f.far_plane), mz) & above(det, zero) &
           at_least(splat(std::numeric_limits<float>::max()), det) & at_least(strength, splat(MIN_ALPHA));
  // Whatever is unseen shall not reach the logarithm.
  strength = select(s.seen, strength, one);
  s.log2_opacity = log2_positive(strength);
  const Floats squared = maximum(s.log2_opacity - splat(LOG2_MIN_ALPHA), zero) * splat(2.f / LOG2_E);
  const Floats extent = minimum(square_root(squared), splat(MAX_EXTENT));
  // Radii beyond any image are as good as infinite, which the conversion to whole numbers is not defined for.
  s.radius_x = ceil_positive(clamped(extent * square_root(xx), 0.f, float(1 << 30)));
  s.radius_y = ceil_positive(clamped(extent * square_root(yy), 0.f, float(1 << 30)));
  s.x = splat(c.fx) * mx * rz + splat(c.cx), s.y = splat(c.fy) * my * rz + splat(c.cy);
  const Floats clip = splat(f.radius_clip);
  s.seen = s.seen & (above(s.radius_x, clip) | above(s.radius_y, clip)) & above(s.x + s.radius_x, zero) &
           above(splat(float(f.width)), s.x - s.radius_x) & above(s.y + s.radius_y, zero) &
           above(splat(float(f.height)), s.y - s.radius_y);
  const Floats inverse_det = splat(-0.5f * LOG2_E) / det, inverse_yy = one / yy;
  s.qxx = inverse_det * yy, s.qxy = splat(-2.f) * inverse_det * xy, s.qyy = inverse_det * xx;
  s.slant = xy * inverse_yy, s.narrowing = det * inverse_yy * inverse_yy, s.reach = squared * det * inverse_yy;
  s.depth = mz;
  return s;
}

// Pixel centres relative to the tile's corner, block by block.
struct BlockCentres {
  Floats x[BLOCKS], y[BLOCKS];
  BlockCentres() {
    for (int block = 0; block < BLOCKS; block++)
      for (int lane = 0; lane < LANES; lane++) {
        x[block][lane] = float(block % BLOCK_COLUMNS * BLOCK_WIDTH + lane % BLOCK_WIDTH) + 0.5f;
        y[block][lane] = float(block / BLOCK_COLUMNS * BLOCK_HEIGHT + lane / BLOCK_WIDTH) + 0.5f;
      }
  }
};
const BlockCentres CENTRES;

// --------------------------------------------------------------------------------------------------- compositing

// For every pixel line of a tile, a vector of them at a time: its number, and the place of its row of blocks in a word.
struct TileLines {
  static constexpr int VECTORS = TILE / LANES;
  Floats line[VECTORS];
  Ints shift[VECTORS];
  TileLines() {
    for (int i = 0; i < VECTORS; i++)
      for (int lane = 0; lane < LANES; lane++) {
        // A row of blocks lies in one lane of each vector, or in neighbouring lanes of the only one.
        const int number = VECTORS > 1 ? lane * VECTORS + i : lane;
        line[i][lane] = float(number);
        shift[i][lane] = number / BLOCK_HEIGHT * BLOCK_COLUMNS;
      }
  }
};
const TileLines LINES;

// Bit b is set where block b of the tile holds a pixel centre at which alpha may reach 1/255.
NEOVERSE_INLINE uint32_t touched_blocks(const Splat& s, float tile_x, float tile_y) {
  static_assert(BLOCK_WIDTH == 4 && BLOCKS <= 32, "the shift by 2, and one bit per block");
  constexpr float MARGIN = 0.01f;  // pixels: against rounding
  const Floats zero = splat(0.f), end = splat(TILE - 1.f);
  const Floats centre = splat(s.x - tile_x - 0.5f), reach = splat(s.reach * 1.0001f);
  Ints bits = splat(0);
  for (int i = 0; i < TileLines::VECTORS; i++) {
    const Floats dy = splat(s.y - tile_y - 0.5f) - LINES.line[i], square = reach - splat(s.narrowing) * dy * dy;
    const Floats half = about_square_root(maximum(square, splat(1e-30f))) + splat(MARGIN);
    const Floats middle = centre - splat(s.slant) * dy, low = middle - half, high = middle + half;
    const Mask inside = at_least(square, zero) & at_least(high, zero) & at_least(end, low);
    // First and last pixel; adding 0.999 before truncation rounds up.
    const Ints first = __builtin_convertvector(minimum(maximum(low, zero), end) + splat(0.999f), Ints);
    const Ints last = __builtin_convertvector(minimum(maximum(high, zero), end), Ints);
    const Ints columns = (splat(2) << (last >> 2)) - (splat(1) << (first >> 2));
    bits |= masked(inside & at_least(last, first), columns << LINES.shift[i]);
  }
  return any_bits(bits);
}

struct TileOrigin {
  int x, y;
};
inline TileOrigin tile_origin(const Frame& f, int tile) {
  const int columns = tiles_along(f.width);
  return {tile % columns * TILE, tile / columns * TILE};
}

// Calls body(block, lane, pixel index) for every pixel of a tile that lies in the image.
template <typename Body>
NEOVERSE_INLINE void for_pixels(const Frame& f, TileOrigin origin, const Body& body) {
  for (int block = 0; block < BLOCKS; block++)
    for (int lane = 0; lane < LANES; lane++) {
      const int x = origin.x + block % BLOCK_COLUMNS * BLOCK_WIDTH + lane % BLOCK_WIDTH;
      const int y = origin.y + block / BLOCK_COLUMNS * BLOCK_HEIGHT + lane / BLOCK_WIDTH;
      if (x < f.width && y < f.height) body(block, lane, int64_t(y) * f.width + x);
    }
}

struct Lists {
  const int32_t* offsets;    // [tiles + 1] where each tile's list starts
  const int32_t* gaussians;  // Gaussians of all tiles, each tile's front to back
  int32_t* touched;          // which blocks of the tile each of them may be seen in, as bits
};

template <int K>
struct BlockState {
  Floats transmittance;  // with its sign set once the pixel is saturated
  Floats features[K];
  Ints last;  // list position of the last Gaussian that was drawn, -1 for none
};

// Asks for a record that will be needed soon: records lie in memory in no useful order.
NEOVERSE_INLINE void prefetch_record(const float* records, int32_t gaussian, int size) {
  const float* record = records + int64_t(gaussian) * size;
  __builtin_prefetch(record);
  __builtin_prefetch(record + size - 1);
}

struct Pixels {
  float* image;          // [h, w, colors + depth]
  float* alpha;          // [h, w]
  float* transmittance;  // [h, w]
  int32_t* last;         // [h, w]
};

struct DrawnPixels {  // the same, in the backward pass
  const float *image, *alpha, *transmittance;
  const int32_t* last;
};

template <int K>
void store_tile(const Frame& f, TileOrigin origin, const BlockState<K>* blocks, const float* background,
                const Pixels& out) {
  const int channels = f.colors + (f.depth ? 1 : 0);
  for_pixels(f, origin, [&](int block, int lane, int64_t pixel) {
    const BlockState<K>& b = blocks[block];
    const float t = std::fabs(b.transmittance[lane]), alpha = 1.f - t;
    float* image = out.image + pixel * channels;
    for (int k = 0; k < f.colors; k++) image[k] = b.features[k][lane] + (background ? t * background[k] : 0.f);
    if (f.depth) {
      const float depth = b.features[f.colors][lane];
      image[f.colors] = f.depth == 2 ? depth / std::max(alpha, MIN_WEIGHT) : depth;
    }
    out.alpha[pixel] = alpha;
    out.transmittance[pixel] = t;
    out.last[pixel] = b.last[lane];
  });
}

// Blocks in which a pixel is not saturated.
template <int K>
uint32_t open_blocks(const BlockState<K>* blocks) {
  uint32_t open = 0;
  for (int i = 0; i < BLOCKS; i++) open |= uint32_t(any(above(blocks[i].transmittance, splat(0.f)))) << i;
  return open;
}

// Turns 32 words of 32 bits by the diagonal: bit i of word j becomes bit j of word i.
inline void transpose_bits(uint32_t* words) {
  uint32_t mask = 0x0000FFFFu;
  for (int step = 16; step; step >>= 1, mask ^= mask << step)
    for (int i = 0; i < 32; i = (i + step + 1) & ~step) {
      const uint32_t moved = ((words[i] >> step) ^ words[i + step]) & mask;
      words[i + step] ^= moved;
      words[i] ^= moved << step;
    }
}

// Gaussians of a tile's list that are drawn together: each block takes those that touch it, one after the other, while
// what is known of its pixels stays in registers.
template <int K>
struct Batch {
  static constexpr int SIZE = 32;
  struct Member {
    float x, y;  // centre from the tile's corner
    float qxx, qxy, qyy, log2_opacity;
    float features[K];
  } members[SIZE];
  uint32_t touching[SIZE];  // by block, bit i where member i touches it
  static_assert(BLOCKS <= SIZE, "a word for every block");

  // Reads list positions begin to end, at most SIZE; writes what blocks each touches to touched[position].
  void fill(TileOrigin origin, const Lists& lists, int32_t begin, int32_t end, int32_t list_end, const float* records,
            uint32_t open) {
    for (int i = end - begin; i < SIZE; i++) touching[i] = 0;
    for (int32_t position = begin; position < end; position++) {
      if (position + AHEAD < list_end) prefetch_record(records, lists.gaussians[position + AHEAD], SPLAT + K);
      const float* record = records + int64_t(lists.gaussians[position]) * (SPLAT + K);
      Splat s;
      std::memcpy(&s, record, sizeof s);
      Member& m = members[position - begin];
      m.x = s.x - origin.x, m.y = s.y - origin.y;
      m.qxx = s.qxx, m.qxy = s.qxy, m.qyy = s.qyy, m.log2_opacity = s.log2_opacity;
      std::memcpy(m.features, record + SPLAT, sizeof m.features);
      touching[position - begin] = open & touched_blocks(s, float(origin.x), float(origin.y));
      lists.touched[position] = int32_t(touching[position - begin]);
    }
    transpose_bits(touching);
  }
};

// Draws one block's part of a batch. Returns whether a pixel is left that is not saturated.
template <int K>
NEOVERSE_INLINE bool composite_block(const Batch<K>& batch, int block, int32_t first_position, BlockState<K>& state) {
  const Floats centre_x = CENTRES.x[block], centre_y = CENTRES.y[block];
  BlockState<K> b = state;
  for (uint32_t todo = batch.touching[block]; todo; todo &= todo - 1) {
    const int i = __builtin_ctz(todo);
    const auto& m = batch.members[i];
    const Floats dx = splat(m.x) - centre_x, dy = splat(m.y) - centre_y;
    const Floats power = (splat(m.qxx) * dx + splat(m.qxy) * dy) * dx + splat(m.qyy) * dy * dy;
    const Floats exponent = power + splat(m.log2_opacity);
    const Mask covered = at_least(splat(0.f), power) & at_least(exponent, splat(LOG2_MIN_ALPHA));
    const Floats alpha = minimum(exp2_negative(exponent), splat(MAX_ALPHA)), before = b.transmittance;
    const Floats product = alpha * before, after = before - product;
    const Mask drawn = covered & above(after, splat(MIN_TRANSMITTANCE));  // never where `before` carries the sign
    const Floats weight = masked(drawn, product);
    for (int k = 0; k < K; k++) b.features[k] += splat(m.features[k]) * weight;
    b.transmittance = select(drawn, after, (Floats)((Ints)before | masked(covered, splat(INT32_MIN))));
    b.last = select(drawn, splat(first_position + i), b.last);
  }
  state = b;
  return any(above(b.transmittance, splat(0.f)));
}

// Draws one tile. Returns one past the last list position that any pixel used.
template <int K>
int32_t composite_tile(const Frame& f, int tile, const Lists& lists, const float* records, const float* background,
                       const Pixels& out) {
  const TileOrigin origin = tile_origin(f, tile);
  BlockState<K> blocks[BLOCKS];
  for (auto& b : blocks) {
    b.transmittance = splat(-1.f), b.last = splat(-1);
    for (auto& feature : b.features) feature = splat(0.f);
  }
  for_pixels(f, origin, [&](int block, int lane, int64_t) { blocks[block].transmittance[lane] = 1.f; });

  Batch<K> batch;
  const int32_t end = lists.offsets[tile + 1];
  uint32_t open = open_blocks<K>(blocks);
  for (int32_t begin = lists.offsets[tile]; begin < end && open; begin += Batch<K>::SIZE) {
    batch.fill(origin, lists, begin, std::min(end, begin + Batch<K>::SIZE), end, records, open);
    for (uint32_t todo = open; todo; todo &= todo - 1) {
      const int block = __builtin_ctz(todo);
      if (batch.touching[block] && !composite_block<K>(batch, block, begin, blocks[block])) open &= ~(1u << block);
    }
  }
  store_tile<K>(f, origin, blocks, background, out);
  int32_t used = lists.offsets[tile];
  for (const auto& b : blocks)
    for (int lane = 0; lane < LANES; lane++) used = std::max(used, b.last[lane] + 1);
  return used;
}

struct PixelGradients {
  const float* image;  // gradients, [h, w, colors + depth]
  const float* alpha;  // [h, w]
};

template <int K>
struct BlockGradient {
  Floats transmittance;  // in front of the Gaussian at hand; starts at the final one
  Floats rest;           // gradient that reaches the transmittance behind the Gaussian at hand, times it
  Floats features[K];    // gradient of the pixel's features
  Ints last;
};

template <int K>
void load_tile_gradients(const Frame& f, TileOrigin origin, const float* background, const DrawnPixels& drawn,
                         const PixelGradients& v, BlockGradient<K>* blocks) {
  const int channels = f.colors + (f.depth ? 1 : 0);
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i].transmittance = splat(1.f), blocks[i].rest = splat(0.f), blocks[i].last = splat(-1);
    for (auto& feature : blocks[i].features) feature = splat(0.f);
  }
  for_pixels(f, origin, [&](int block, int lane, int64_t pixel) {
    BlockGradient<K>& b = blocks[block];
    const float* v_image = v.image + pixel * channels;
    float v_alpha = v.alpha[pixel];
    for (int k = 0; k < f.colors; k++) {
      b.features[k][lane] = v_image[k];
      if (background) v_alpha -= background[k] * v_image[k];
    }
    if (f.depth) {
      float v_depth = v_image[f.colors];
      if (f.depth == 2) {  // expected depth = accumulated depth / alpha
        const float alpha = drawn.alpha[pixel];
        v_depth /= std::max(alpha, MIN_WEIGHT);
        if (alpha >= MIN_WEIGHT) v_alpha -= v_depth * drawn.image[pixel * channels + f.colors];
      }
      b.features[f.colors][lane] = v_depth;
    }
    b.transmittance[lane] = drawn.transmittance[pixel];
    b.rest[lane] = drawn.transmittance[pixel] * v_alpha;
    b.last[lane] = drawn.last[pixel];
  });
}

// Blocks in which a pixel drew something at or behind the list position.
template <int K>
uint32_t reached_blocks(const BlockGradient<K>* blocks, int32_t position) {
  uint32_t reached = 0;
  for (int i = 0; i < BLOCKS; i++) reached |= uint32_t(any(at_least(blocks[i].last, splat(position)))) << i;
  return reached;
}

// Walks one tile back to front, writing six moments and the feature gradients of every Gaussian to its slot.
template <int K>
void composite_tile_backward(const Frame& f, int tile, const Lists& lists, const int32_t* ends, const int32_t* slots,
                             const float* records, const float* background, const DrawnPixels& drawn,
                             const PixelGradients& v, float* slot_sums) {
  const TileOrigin origin = tile_origin(f, tile);
  BlockGradient<K> blocks[BLOCKS];
  load_tile_gradients<K>(f, origin, background, drawn, v, blocks);
  uint32_t reached = 0;
  for (int32_t position = ends[tile] - 1; position >= lists.offsets[tile]; position--) {
    if ((ends[tile] - 1 - position) % REVIEW == 0) reached = reached_blocks<K>(blocks, position - REVIEW + 1);
    if (position - AHEAD >= lists.offsets[tile]) {
      prefetch_record(records, lists.gaussians[position - AHEAD], SPLAT + K);
      prefetch_record(slot_sums, slots[position - AHEAD], MOMENTS + K);
    }
    const float* record = records + int64_t(lists.gaussians[position]) * (SPLAT + K);
    Splat s;
    std::memcpy(&s, record, sizeof s);
    const float* features = record + SPLAT;
    float* out = slot_sums + int64_t(slots[position]) * (MOMENTS + K);
    const Floats x = splat(s.x - origin.x), y = splat(s.y - origin.y);
    Floats moments[MOMENTS + K];
    for (auto& moment : moments) moment = splat(0.f);
    for (uint32_t todo = reached & uint32_t(lists.touched[position]); todo; todo &= todo - 1) {
      const int block = __builtin_ctz(todo);
      BlockGradient<K>& b = blocks[block];
      const Floats dx = x - CENTRES.x[block], dy = y - CENTRES.y[block];
      const Floats power = (splat(s.qxx) * dx + splat(s.qxy) * dy) * dx + splat(s.qyy) * dy * dy;
      const Floats exponent = power + splat(s.log2_opacity), raw = exp2_negative(exponent);
      const Mask drawn =
          at_least(splat(0.f), power) & at_least(exponent, splat(LOG2_MIN_ALPHA)) & at_least(b.last, splat(position));
      const Floats alpha = minimum(raw, splat(MAX_ALPHA));
      const Floats inverse = reciprocal(splat(1.f) - alpha), before = b.transmittance * inverse;
      b.transmittance = select(drawn, before, b.transmittance);
      const Floats weight = masked(drawn, alpha * before);
      Floats v_weight = splat(0.f);
      for (int k = 0; k < K; k++) {
        v_weight += splat(features[k]) * b.features[k];
        moments[MOMENTS + k] += weight * b.features[k];
      }
      const Floats v_alpha = before * v_weight + b.rest * inverse;
      b.rest -= v_weight * weight;
      // Alpha does not move with its inputs where it was cut.
      const Floats v_power = masked(drawn & above(splat(MAX_ALPHA), raw), raw * v_alpha);
      const Floats v_x = v_power * dx, v_y = v_power * dy;
      moments[0] += v_power, moments[1] += v_x, moments[2] += v_y;
      moments[3] += v_x * dx, moments[4] += v_x * dy, moments[5] += v_y * dy;
    }
    sums<MOMENTS + K>(moments, out);
  }
}

// Calls body with the compiled feature count as a compile-time constant. False where it was not compiled.
template <typename Body>
bool with_features(int features, const Body& body) {
  switch (features) {
    case 1: body(std::integral_constant<int, 1>()); return true;
    case 2: body(std::integral_constant<int, 2>()); return true;
    case 3: body(std::integral_constant<int, 3>()); return true;
    case 4: body(std::integral_constant<int, 4>()); return true;
    case 8: body(std::integral_constant<int, 8>()); return true;
    default: return false;
  }
}

inline int chunks_of(int count, int size) { return (count + size - 1) / size; }

// Stable least-significant-digit radix sort by the upper halves of the keys. Digits that all keys share are left out.
// Returns where the sorted keys are: in `keys` or in `scratch`.
uint64_t* radix_sort(uint64_t* keys, uint64_t* scratch, size_t count) {
  constexpr int BITS = 11, PASSES = 3, BUCKETS = 1 << BITS;
  uint32_t starts[PASSES][BUCKETS] = {{0}};
  for (size_t i = 0; i < count; i++)
    for (int pass = 0; pass < PASSES; pass++) starts[pass][(keys[i] >> (32 + pass * BITS)) & (BUCKETS - 1)]++;
  for (int pass = 0; pass < PASSES && count; pass++) {
    const int shift = 32 + pass * BITS;
    uint32_t* start = starts[pass];
    if (start[(keys[0] >> shift) & (BUCKETS - 1)] == count) continue;
    uint32_t before = 0;
    for (int i = 0; i < BUCKETS; i++) before += std::exchange(start[i], before);
    for (size_t i = 0; i < count; i++) scratch[start[(keys[i] >> shift) & (BUCKETS - 1)]++] = keys[i];
    std::swap(keys, scratch);
  }
  return keys;
}

}  // namespace

extern "C" {

// Gaussians that one parallel job of the projection handles; scratch sizes depend on it.
int32_t neoverse_project_chunk() { return PROJECT_CHUNK; }

// Projects every Gaussian. Returns how many (Gaussian, tile) pairs there are.
//   colors [n, colors], or with spherical harmonics their coefficients [n, sh_bands, 3];
//   records [n, 9 + features], depths [n], radii [n, 2] (zero where unseen), means2d [n, 2], boxes [n, 4] (in tiles);
//   pairs [chunks] is scratch.
int64_t neoverse_project(const Frame* frame, const float* means, const float* quats, const float* scales,
                         const float* opacities, const float* colors, const float* viewmat, const float* intrinsics,
                         float* records, float* depths, int32_t* radii, float* means2d, int32_t* boxes,
                         int64_t* pairs) {
  const Frame& f = *frame;
  const Camera camera = make_camera(f, viewmat, intrinsics);
  const int chunks = chunks_of(f.count, PROJECT_CHUNK), stride = SPLAT + f.features;
  const int columns = tiles_along(f.width), rows = tiles_along(f.height);
  parallel_for(chunks, f.threads, [&](int chunk) {
    int64_t total = 0;
    const int end = std::min(f.count, (chunk + 1) * PROJECT_CHUNK);
    for (int first = chunk * PROJECT_CHUNK; first < end; first += LANES) {
      const Splats many = project_lanes(f, camera, means, quats, scales, opacities, first);
      const Ints seen = masked(many.seen, splat(1));
      const auto tiles = [&](Floats pixels, int limit) { return clamped(pixels * splat(1.f / TILE), 0.f, float(limit)); };
      const Ints x0 = floor_positive(tiles(many.x - many.radius_x, columns));
      const Ints y0 = floor_positive(tiles(many.y - many.radius_y, rows));
      const Ints x1 = floor_positive(ceil_positive(tiles(many.x + many.radius_x, columns)));
      const Ints y1 = floor_positive(ceil_positive(tiles(many.y + many.radius_y, rows)));
      for (int lane = 0; lane < std::min(LANES, end - first); lane++) {
        const int i = first + lane;
        TileBox box{};
        radii[2 * i] = radii[2 * i + 1] = 0;
        means2d[2 * i] = means2d[2 * i + 1] = 0.f;
        if (seen[lane]) {
          float* record = records + int64_t(i) * stride;
          const Splat s{many.x[lane],   many.y[lane],   many.qxx[lane],  many.qxy[lane],      many.qyy[lane],
                        many.log2_opacity[lane], many.slant[lane], many.reach[lane], many.narrowing[lane]};
          std::memcpy(record, &s, sizeof s);
          float* features = record + SPLAT;
          std::fill(features, features + f.features, 0.f);
          if (f.sh_degree >= 0) {
            const ViewedColor viewed = viewed_color(f, camera, means + 3 * i, colors + int64_t(i) * f.sh_bands * 3);
            for (int k = 0; k < 3; k++) features[k] = std::max(viewed.raw[k], 0.f);
          } else {
            std::copy_n(colors + int64_t(i) * f.colors, f.colors, features);
          }
          if (f.depth) features[f.colors] = many.depth[lane];
          radii[2 * i] = int32_t(many.radius_x[lane]), radii[2 * i + 1] = int32_t(many.radius_y[lane]);
          means2d[2 * i] = s.x, means2d[2 * i + 1] = s.y;
          box = {x0[lane], y0[lane], x1[lane], y1[lane]};
          total += box.area();
        }
        depths[i] = many.depth[lane];
        std::memcpy(boxes + 4 * i, &box, sizeof box);
      }
    }
    pairs[chunk] = total;
  });
  int64_t total = 0;
  for (int chunk = 0; chunk < chunks; chunk++) total += pairs[chunk];
  return total;
}

// Sorts by depth and writes the list of every tile.
//   keys [2, n] and counts [threads, tiles] are scratch; offsets [tiles + 1], gaussians [pairs].
void neoverse_bin(const Frame* frame, const float* depths, const int32_t* boxes_in, uint64_t* keys, int32_t* counts,
                  int32_t* offsets, int32_t* gaussians) {
  const Frame& f = *frame;
  const auto* boxes = reinterpret_cast<const TileBox*>(boxes_in);
  const int columns = tiles_along(f.width), tiles = columns * tiles_along(f.height);
  size_t seen = 0;
  for (int i = 0; i < f.count; i++) {
    if (boxes[i].area() == 0) continue;
    uint32_t bits;  // of a positive float: they order as the value does
    std::memcpy(&bits, depths + i, sizeof bits);
    keys[seen++] = uint64_t(bits) << 32 | uint32_t(i);
  }
  const uint64_t* sorted = radix_sort(keys, keys + f.count, seen);

  // Counting sort into tiles; every chunk of the depth order fills its own stretch of each list.
  const int chunks = f.threads;
  const auto for_chunk = [&](int chunk, auto&& body) {
    const size_t end = seen * (chunk + 1) / chunks;
    for (size_t i = seen * chunk / chunks; i < end; i++) {
      if (i + 2 * AHEAD < end) __builtin_prefetch(boxes + uint32_t(sorted[i + 2 * AHEAD]));
      const auto gaussian = int32_t(uint32_t(sorted[i]));
      const TileBox& box = boxes[gaussian];
      for (int y = box.y0; y < box.y1; y++)
        for (int x = box.x0; x < box.x1; x++) body(y * columns + x, gaussian);
    }
  };
  parallel_for(chunks, f.threads, [&](int chunk) {
    int32_t* count = counts + int64_t(chunk) * tiles;
    std::fill(count, count + tiles, 0);
    for_chunk(chunk, [&](int tile, int32_t) { count[tile]++; });
  });
  int32_t start = 0;
  for (int tile = 0; tile < tiles; tile++) {
    offsets[tile] = start;
    for (int chunk = 0; chunk < chunks; chunk++) {
      int32_t& count = counts[int64_t(chunk) * tiles + tile];
      const int32_t here = count;
      count = start, start += here;
    }
  }
  offsets[tiles] = start;
  parallel_for(chunks, f.threads, [&](int chunk) {
    int32_t* next = counts + int64_t(chunk) * tiles;
    for_chunk(chunk, [&](int tile, int32_t gaussian) { gaussians[next[tile]++] = gaussian; });
  });
}

// Draws the image. touched [pairs] is written for the backward pass up to ends [tiles], one past the last list position
// that each tile used. False: features not compiled.
bool neoverse_composite(const Frame* frame, const float* records, const float* background, const int32_t* offsets,
                        const int32_t* gaussians, int32_t* touched, float* image, float* alpha, float* transmittance,
                        int32_t* last, int32_t* ends) {
  const Frame& f = *frame;
  const Lists lists{offsets, gaussians, touched};
  const Pixels pixels{image, alpha, transmittance, last};
  return with_features(f.features, [&](auto features) {
    parallel_for(tiles_along(f.width) * tiles_along(f.height), f.threads, [&](int tile) {
      ends[tile] = composite_tile<features()>(f, tile, lists, records, background, pixels);
    });
  });
}

// Gives every pair that was drawn a slot, those of one Gaussian side by side. Returns how many there are.
//   slots [pairs] (only drawn pairs are written), slot_offsets [n + 1].
int64_t neoverse_slots(const Frame* frame, const int32_t* offsets, const int32_t* gaussians, const int32_t* ends,
                       int32_t* slots, int32_t* slot_offsets) {
  const Frame& f = *frame;
  const int tiles = tiles_along(f.width) * tiles_along(f.height);
  std::fill(slot_offsets, slot_offsets + f.count + 1, 0);
  // First a pair's rank among its Gaussian's pairs, then, once all are counted, its place.
  for (int tile = 0; tile < tiles; tile++)
    for (int32_t i = offsets[tile]; i < ends[tile]; i++) slots[i] = slot_offsets[gaussians[i] + 1]++;
  for (int i = 0; i < f.count; i++) slot_offsets[i + 1] += slot_offsets[i];
  parallel_for(tiles, f.threads, [&](int tile) {
    for (int32_t i = offsets[tile]; i < ends[tile]; i++) slots[i] += slot_offsets[gaussians[i]];
  });
  return slot_offsets[f.count];
}

// Gradients of every drawn pair: sums [slots, 6 + features]. False: features not compiled.
bool neoverse_composite_backward(const Frame* frame, const float* records, const float* background,
                                 const int32_t* offsets, const int32_t* gaussians, int32_t* touched,
                                 const int32_t* ends, const int32_t* slots, const float* image, const float* alpha,
                                 const float* transmittance, const int32_t* last, const float* v_image,
                                 const float* v_alpha, float* sums) {
  const Frame& f = *frame;
  const Lists lists{offsets, gaussians, touched};
  const DrawnPixels drawn{image, alpha, transmittance, last};
  const PixelGradients v{v_image, v_alpha};
  return with_features(f.features, [&](auto features) {
    parallel_for(tiles_along(f.width) * tiles_along(f.height), f.threads, [&](int tile) {
      composite_tile_backward<features()>(f, tile, lists, ends, slots, records, background, drawn, v, sums);
    });
  });
}

// Sums each Gaussian's slots and goes back through the projection. Every output is written.
//   colors and v_colors as in neoverse_project; view_sums [chunks, 15] is scratch; v_viewmat [4, 4].
void neoverse_project_backward(const Frame* frame, const float* means, const float* quats, const float* scales,
                               const float* opacities, const float* colors, const float* viewmat,
                               const float* intrinsics, const int32_t* slot_offsets, const float* sums,
                               double* view_sums, float* v_means, float* v_quats, float* v_scales,
                               float* v_opacities, float* v_colors, float* v_viewmat) {
  const Frame& f = *frame;
  const Camera camera = make_camera(f, viewmat, intrinsics);
  const int chunks = chunks_of(f.count, PROJECT_CHUNK), stride = MOMENTS + f.features;
  const bool harmonics = f.sh_degree >= 0;
  const int color_size = harmonics ? 3 * f.sh_bands : f.colors;
  parallel_for(chunks, f.threads, [&](int chunk) {
    double view[VIEW_SUMS] = {0};
    for (int i = chunk * PROJECT_CHUNK; i < std::min(f.count, (chunk + 1) * PROJECT_CHUNK); i++) {
      float total[MOMENTS + 8] = {0};
      for (int32_t slot = slot_offsets[i]; slot < slot_offsets[i + 1]; slot++)
        for (int k = 0; k < stride; k++) total[k] += sums[int64_t(slot) * stride + k];
      GaussianGradient g{};
      float* v_color = v_colors + int64_t(i) * color_size;
      if (harmonics) std::fill(v_color, v_color + color_size, 0.f);
      else std::copy_n(total + MOMENTS, f.colors, v_color);
      if (slot_offsets[i] < slot_offsets[i + 1]) {
        const Projection p = project_one(camera, f.eps2d, means + 3 * i, quats + 4 * i, scales + 3 * i);
        const float v_depth = f.depth ? total[MOMENTS + f.colors] : 0.f;
        const SplatGradient v = splat_gradient(p, total, effective_opacity(f, p, opacities[i]), v_depth);
        g = project_one_backward(f, camera, p, v, scales + 3 * i, opacities[i]);
        add_view_gradient(p, g, load3(means + 3 * i), load3(scales + 3 * i), view);
        if (harmonics) {
          const float* sh = colors + int64_t(i) * color_size;
          const ViewedColor seen = viewed_color(f, camera, means + 3 * i, sh);
          const Vec3 v_away = viewed_color_backward(f, seen, sh, total + MOMENTS, v_color);
          g.mean = g.mean + v_away;
          view[12] += v_away.x, view[13] += v_away.y, view[14] += v_away.z;
        }
      }
      store3(v_means + 3 * i, g.mean);
      store3(v_scales + 3 * i, g.scale);
      std::memcpy(v_quats + 4 * i, g.quat, sizeof g.quat);
      v_opacities[i] = g.opacity;
    }
    std::memcpy(view_sums + VIEW_SUMS * chunk, view, sizeof view);
  });
  double view[VIEW_SUMS] = {0};
  for (int chunk = 0; chunk < chunks; chunk++)
    for (int k = 0; k < VIEW_SUMS; k++) view[k] += view_sums[VIEW_SUMS * chunk + k];
  // Directions are means less the camera's place, which is -R^T t.
  const Vec3 away{float(view[12]), float(view[13]), float(view[14])};
  for (int r = 0; r < 3; r++) {
    const float t = viewmat[4 * r + 3];
    view[4 * r] += t * away.x, view[4 * r + 1] += t * away.y, view[4 * r + 2] += t * away.z;
    view[4 * r + 3] += dot(camera.rotation.row[r], away);
  }
  for (int k = 0; k < 16; k++) v_viewmat[k] = k < 12 ? float(view[k]) : 0.f;
}

}  // extern "C"
