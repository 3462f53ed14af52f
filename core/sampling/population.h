// A chain's start by successive halving: members start at zero and are swept for a round each; the
// better half of them goes on to the next round, until one is left and becomes the chain.
//
// At small noise most failures to thermalize are decided early, when a hidden unit specialises in
// the wrong thing and stays with it, and a chain that failed shows it by its training error. Any
// start is allowed, so choosing one by its training error biases nothing that comes after. Every
// chain has a population of its own: chains stay independent of each other.
//
// The sweeps of the members are the first sweeps of the chain, part of its warm-up, one member
// after another. Members are compared by their training error averaged over the second half of the
// round.
#ifndef POSTERIORD_CORE_SAMPLING_POPULATION_H_
#define POSTERIORD_CORE_SAMPLING_POPULATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model.h"
#include "core/spec.h"

namespace posteriord::core {

// Whether any chain starts so; its member is then traced as population.member.
bool HasPopulations(const Spec& spec);

// Sweeps of all members in all rounds.
std::int64_t PopulationSweeps(const PopulationSpec& population);

// The population of one chain, on its way to a single member. The state of the member whose turn it
// is belongs to the chain.
template <typename T>
class Population {
 public:
  // `start` is the state that every member begins at.
  Population(const PopulationSpec& spec, const State<T>& start);

  // Whether more than one member is left.
  bool is_running() const { return alive_.size() > 1; }
  // Whose turn it is; the survivor once there is one. Members count from 0.
  int member() const { return alive_[slot_]; }

  // Whether the sweep just made is one whose training error is asked for by Advance.
  bool wants_error() const;

  // Counts a sweep of the present member, which had this training error if it was asked for. When
  // its round is over, puts the next member's state in place of `state`. REQUIRES: is_running().
  void Advance(double training_error, State<T>& state);

  // For checkpoints. False, and nothing happens, when the bytes do not fit; `shape` is any state of
  // the chain.
  std::string Save() const;
  bool Restore(std::string_view saved, const State<T>& shape);

 private:
  void EndRound();
  // Bytes of everything but states.
  std::size_t HeaderBytes(std::size_t alive) const;

  const PopulationSpec spec_;
  std::vector<State<T>> states_;  // by member; that of member() is with the chain
  std::vector<int> alive_;
  std::vector<double> errors_;  // sums of this round, by member
  std::size_t slot_ = 0;        // in alive_
  std::int64_t step_ = 0;       // sweeps of the present member in this round
};

}  // namespace posteriord::core

#endif  // POSTERIORD_CORE_SAMPLING_POPULATION_H_
