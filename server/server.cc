#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/numeric_profile.h"
#include "server/base/io_executor.h"
#include "server/base/status_macros.h"
#include "server/data/dataset_store.h"
#include "server/jobs/job_manager.h"
#include "server/services/dataset_service.h"
#include "server/services/job_service.h"
#include "server/services/stream_registry.h"
#include "server/store/catalog_database.h"
#include "server/store/sqlite_job_store.h"
#include "spdlog/spdlog.h"

namespace posteriord::server {
namespace {

constexpr int kReadThreads = 4;
constexpr int kCommandThreads = 4;
constexpr int kUploadThreads = 2;
constexpr int kMaxReceivedMessageBytes = 4 << 20;
// How long a chain may take to reach the end of its sweep at shutdown before it is interrupted.
constexpr std::chrono::seconds kSweepPatience{2};

class ServerImpl final : public Server {
 public:
  explicit ServerImpl(const ServerOptions& options) : options_(options) {}
  ~ServerImpl() override { Shutdown(std::chrono::milliseconds(0)); }

  absl::Status Open() {
    ASSIGN_OR_RETURN(const std::shared_ptr<CatalogDatabase> catalog,
                     CatalogDatabase::Open(options_.data_dir));
    ASSIGN_OR_RETURN(datasets_, DatasetStore::Open(catalog, options_.dataset_limits));
    ASSIGN_OR_RETURN(store_, SqliteJobStore::Open(catalog, {}));
    scheduler_ = std::make_unique<Scheduler>(
        Scheduler::Options{.threads = options_.threads, .slice = options_.slice});
    jobs_ = std::make_unique<JobManager>(JobEnvironment{.store = *store_,
                                                        .datasets = *datasets_,
                                                        .scheduler = *scheduler_,
                                                        .numeric_profile = core::NumericProfile()},
                                         options_.memory_limit_bytes);
    LogRecovery();
    RETURN_IF_ERROR(jobs_->Resume());
    job_service_ = std::make_unique<JobService>(*jobs_, *store_,
                                                JobService::Executors{reads_, commands_}, streams_);
    dataset_service_ =
        std::make_unique<DatasetService>(*datasets_, DatasetService::Executors{reads_, uploads_});
    return Listen();
  }

  const std::string& address() const override { return address_; }
  int port() const override { return port_; }

  void Shutdown(std::chrono::milliseconds patience) override {
    if (shut_down_) return;
    shut_down_ = true;
    const auto deadline = std::chrono::system_clock::now() + patience;
    if (server_ != nullptr) server_->GetHealthCheckService()->SetServingStatus(false);
    if (jobs_ != nullptr) {
      jobs_->Shutdown(std::min<std::chrono::milliseconds>(kSweepPatience, patience / 2),
                      std::chrono::steady_clock::now() + patience);
    }
    streams_.DrainAll();
    if (server_ != nullptr) server_->Shutdown(deadline);
  }

 private:
  // What an earlier server left behind and this one has put in order, or could not.
  void LogRecovery() const {
    const auto log = [](const char* what, const std::vector<std::string>& names) {
      if (!names.empty()) spdlog::warn("{}: {}", what, absl::StrJoin(names, ", "));
    };
    const DatasetStore::RecoveryReport& datasets = datasets_->recovery_report();
    log("data sets found without an entry in the catalog, entered", datasets.adopted);
    log("leftovers of interrupted uploads and deletions, removed", datasets.removed);
    log("data sets whose file is missing", datasets.missing);
    log("files that are no data sets, left alone", datasets.unreadable);
    const RecoveryReport& jobs = store_->recovery_report();
    log("jobs found without an entry in the catalog, entered", jobs.adopted);
    log("leftovers of interrupted creations and deletions, removed", jobs.removed);
    log("jobs whose file is missing or damaged", jobs.damaged);
    log("files that belong to no job, left alone", jobs.unreadable);
  }

  absl::Status Listen() {
    const std::size_t colon = options_.listen.rfind(':');
    int wanted = -1;
    if (colon == std::string::npos || colon == 0 ||
        !absl::SimpleAtoi(options_.listen.substr(colon + 1), &wanted) || wanted < 0 ||
        wanted > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot listen on ", options_.listen,
                       ": it must be HOST:PORT, with a port from 0 (any free one) to 65535"));
    }
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port_);
    // Without this a second server could share the port, and half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Lets clients keep idle streams alive through proxies by pings, up to one in ten seconds.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    // Finds out about peers that vanished without a word.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
    builder.SetMaxReceiveMessageSize(kMaxReceivedMessageBytes);
    builder.RegisterService(job_service_.get());
    builder.RegisterService(dataset_service_.get());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.listen,
                       ": is it an address of this machine, and is the port free? Port 0 takes a "
                       "free one"));
    }
    address_ = absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')), ":", port_);
    return absl::OkStatus();
  }

  const ServerOptions options_;
  // Destroyed from the last to the first: each uses only what stands above it.
  std::unique_ptr<DatasetStore> datasets_;
  std::unique_ptr<SqliteJobStore> store_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<JobManager> jobs_;
  StreamRegistry streams_{options_.max_streams};
  // Apart, so that slow work of one kind does not keep the others waiting.
  IoExecutor reads_{kReadThreads};        // streams, and calls that look something up
  IoExecutor commands_{kCommandThreads};  // calls that read data or wait for a job
  IoExecutor uploads_{kUploadThreads};    // parsing
  std::unique_ptr<JobService> job_service_;
  std::unique_ptr<DatasetService> dataset_service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  int port_ = 0;
  bool shut_down_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  RETURN_IF_ERROR(core::CheckInstructionSet());
  auto server = std::make_unique<ServerImpl>(options);
  RETURN_IF_ERROR(server->Open());
  return server;
}

}  // namespace posteriord::server
