// Lines on a terminal that are redrawn in place.
#ifndef POSTERIORD_CLIENT_POSTERIORCTL_LIVE_DISPLAY_H_
#define POSTERIORD_CLIENT_POSTERIORCTL_LIVE_DISPLAY_H_

#include <ostream>
#include <string>
#include <vector>

namespace posteriord::client {

// Draws frames over one another. Every frame goes out in one write, without clearing the screen
// first, so nothing flickers, and leaves the terminal as it was: whatever ends the program, there
// is nothing to restore. Not thread-safe.
class LiveDisplay {
 public:
  explicit LiveDisplay(std::ostream& terminal) : terminal_(terminal) {}

  // Replaces the frame before; the cursor then stands below it.
  void Show(const std::vector<std::string>& lines);

  // Removes the frame.
  void Clear() { Show({}); }

 private:
  std::ostream& terminal_;
  std::size_t height_ = 0;  // of the frame shown
};

}  // namespace posteriord::client

#endif  // POSTERIORD_CLIENT_POSTERIORCTL_LIVE_DISPLAY_H_
