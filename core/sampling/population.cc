#include "core/sampling/population.h"

#include <algorithm>
#include <utility>

#include "core/model/state_bytes.h"

namespace posteriord::core {
namespace {

// Training errors that a member's average is made of.
constexpr std::int64_t kErrorsPerRound = 64;

std::size_t Survivors(std::size_t members) { return (members + 1) / 2; }

}  // namespace

bool HasPopulations(const Spec& spec) {
  return std::any_of(spec.groups.begin(), spec.groups.end(), [](const ChainGroupSpec& group) {
    return group.start == StartKind::kPopulation;
  });
}

std::int64_t PopulationSweeps(const PopulationSpec& population) {
  std::int64_t sweeps = 0;
  for (auto alive = static_cast<std::size_t>(population.members); alive > 1;
       alive = Survivors(alive)) {
    sweeps += static_cast<std::int64_t>(alive) * population.sweeps;
  }
  return sweeps;
}

template <typename T>
Population<T>::Population(const PopulationSpec& spec, const State<T>& start)
    : spec_(spec),
      states_(static_cast<std::size_t>(spec.members), start),
      errors_(static_cast<std::size_t>(spec.members), 0) {
  for (int member = 0; member < spec.members; ++member) alive_.push_back(member);
}

template <typename T>
bool Population<T>::wants_error() const {
  const std::int64_t half = spec_.sweeps / 2;
  const std::int64_t stride = std::max<std::int64_t>(1, half / kErrorsPerRound);
  return step_ + 1 > spec_.sweeps - half && (spec_.sweeps - step_ - 1) % stride == 0;
}

template <typename T>
void Population<T>::Advance(double training_error, State<T>& state) {
  if (wants_error()) errors_[static_cast<std::size_t>(member())] += training_error;
  if (++step_ < spec_.sweeps) return;
  step_ = 0;
  states_[static_cast<std::size_t>(member())] = std::move(state);
  if (++slot_ == alive_.size()) EndRound();
  state = std::move(states_[static_cast<std::size_t>(member())]);
}

// A member whose error is not a number is worse than all others.
template <typename T>
void Population<T>::EndRound() {
  std::stable_sort(alive_.begin(), alive_.end(), [this](int a, int b) {
    const double error_a = errors_[static_cast<std::size_t>(a)];
    const double error_b = errors_[static_cast<std::size_t>(b)];
    return error_a < error_b || (error_a == error_a && error_b != error_b);
  });
  const std::size_t kept = Survivors(alive_.size());
  for (std::size_t i = kept; i < alive_.size(); ++i) {
    states_[static_cast<std::size_t>(alive_[i])] = {};
  }
  alive_.resize(kept);
  std::fill(errors_.begin(), errors_.end(), 0);
  slot_ = 0;
}

template <typename T>
std::size_t Population<T>::HeaderBytes(std::size_t alive) const {
  return sizeof(std::int64_t) * (3 + alive) + sizeof(double) * errors_.size();
}

template <typename T>
std::string Population<T>::Save() const {
  ByteWriter writer(HeaderBytes(alive_.size()));
  const std::int64_t counts[] = {static_cast<std::int64_t>(alive_.size()),
                                 static_cast<std::int64_t>(slot_), step_};
  writer.Put(counts);
  for (const int member : alive_) writer.Put(static_cast<std::int64_t>(member));
  for (const double error : errors_) writer.Put(error);
  for (const int member : alive_) {
    if (member != this->member()) PutState(states_[static_cast<std::size_t>(member)], writer);
  }
  return writer.Take();
}

template <typename T>
bool Population<T>::Restore(std::string_view saved, const State<T>& shape) {
  ByteReader reader(saved);
  std::int64_t counts[3] = {};
  reader.Get(counts);
  const auto [alive, slot, step] = counts;
  if (alive < 1 || alive > spec_.members || slot < 0 || slot >= alive || step < 0 ||
      step >= spec_.sweeps ||
      saved.size() != HeaderBytes(static_cast<std::size_t>(alive)) +
                          static_cast<std::size_t>(alive - 1) * StateBytes(shape)) {
    return false;
  }
  std::vector<int> members;
  for (std::int64_t i = 0; i < alive; ++i) {
    std::int64_t member = 0;
    reader.Get(member);
    if (member < 0 || member >= spec_.members) return false;
    members.push_back(static_cast<int>(member));
  }
  alive_ = std::move(members);
  slot_ = static_cast<std::size_t>(slot);
  step_ = step;
  for (double& error : errors_) reader.Get(error);
  states_.assign(states_.size(), {});
  for (const int member : alive_) {
    if (member == this->member()) continue;
    State<T>& state = states_[static_cast<std::size_t>(member)];
    state = shape;
    GetState(reader, state);
  }
  return true;
}

template class Population<float>;
template class Population<double>;

}  // namespace posteriord::core
