// A state as bytes, for checkpoints.
#ifndef POSTERIORD_CORE_MODEL_STATE_BYTES_H_
#define POSTERIORD_CORE_MODEL_STATE_BYTES_H_

#include <cstddef>

#include "core/base/bytes.h"
#include "core/model/model.h"

namespace posteriord::core {

template <typename T>
std::size_t StateBytes(const State<T>& state) {
  Eigen::Index numbers = 0;
  for (const Matrix<T>& parameters : state.parameters) numbers += parameters.size();
  for (const Latent<T>& latent : state.latents) numbers += latent.values().size();
  return state.scales.size() * sizeof(LayerScales) + static_cast<std::size_t>(numbers) * sizeof(T);
}

template <typename T>
void PutState(const State<T>& state, ByteWriter& writer) {
  for (const Matrix<T>& parameters : state.parameters) writer.PutMatrix(parameters);
  for (const LayerScales& scales : state.scales) writer.Put(scales);
  for (const Latent<T>& latent : state.latents) writer.PutMatrix(latent.values());
}

// The state has its shape already.
template <typename T>
void GetState(ByteReader& reader, State<T>& state) {
  for (Matrix<T>& parameters : state.parameters) reader.GetMatrix(parameters);
  for (LayerScales& scales : state.scales) reader.Get(scales);
  for (Latent<T>& latent : state.latents) reader.GetMatrix(latent.values());
}

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_MODEL_STATE_BYTES_H_
