#include "models/io/zip.h"

#include <zip.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "models/io/file.h"

namespace limpid::internal {
namespace {

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;
using File = std::unique_ptr<zip_file_t, CloseFile>;

// libzip's message for an error code.
std::string MessageOf(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

// Opens an archive in memory. `bytes` must outlive it.
absl::StatusOr<Archive> OpenArchive(absl::Span<const std::byte> bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("cannot be read as a zip archive: is empty");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), /*freep=*/0, &error);
  if (source != nullptr) {
    Archive archive(zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
    if (archive != nullptr) return archive;
    zip_source_free(source);
  }
  const std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return absl::InvalidArgumentError(absl::StrCat("cannot be read as a zip archive: ", message));
}

class LibZipReader : public ZipReader {
 public:
  LibZipReader(std::string path, std::shared_ptr<const MappedFile> file, Archive archive,
               std::vector<std::string> names)
      : path_(std::move(path)),
        file_(std::move(file)),
        archive_(std::move(archive)),
        names_(std::move(names)) {}

  const std::vector<std::string>& names() const override { return names_; }
  absl::StatusOr<std::vector<std::byte>> Read(std::string_view name) override;

 private:
  std::string path_;
  std::shared_ptr<const MappedFile> file_;  // read by archive_
  size_t unpacked_ = 0;                     // bytes read so far
  Archive archive_;
  std::vector<std::string> names_;
};

absl::StatusOr<std::vector<std::byte>> LibZipReader::Read(std::string_view name) {
  const std::string entry = absl::StrCat(path_, ": ", std::string(name));
  zip_stat_t info;
  if (zip_stat(archive_.get(), std::string(name).c_str(), 0, &info) != 0) {
    return absl::NotFoundError(absl::StrCat(entry, ": the archive has no such file"));
  }
  size_t unpacked = 0;
  if ((info.valid & ZIP_STAT_SIZE) == 0 ||
      __builtin_add_overflow(unpacked_, info.size, &unpacked) ||
      unpacked / kMaxExpansion > file_->bytes().size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        entry, ": claims to unpack to ", info.size, " bytes, ", unpacked_, " having come before, ",
        "from an archive of ", file_->bytes().size(), "; is it damaged?"));
  }
  unpacked_ = unpacked;
  const File file(zip_fopen_index(archive_.get(), info.index, 0));
  if (file == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(entry, ": cannot be unpacked: ", zip_strerror(archive_.get())));
  }
  std::vector<std::byte> data(info.size);
  // Reading one byte more makes libzip reach the end, where it checks the CRC.
  std::byte beyond{};
  const zip_int64_t read = zip_fread(file.get(), data.data(), data.size());
  const zip_int64_t more = read < 0 ? -1 : zip_fread(file.get(), &beyond, 1);
  if (read != static_cast<zip_int64_t>(data.size()) || more != 0) {
    return absl::InvalidArgumentError(absl::StrCat(entry, ": is damaged: expected ", data.size(),
                                                   " bytes with the right checksum"));
  }
  return data;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZipReader>> ZipReader::Open(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<Archive> archive = OpenArchive((*file)->bytes());
  if (!archive.ok()) return InContext(path, archive.status());
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive->get(), 0); ++i) {
    const char* name = zip_get_name(archive->get(), i, ZIP_FL_ENC_GUESS);
    names.emplace_back(name == nullptr ? "" : name);
  }
  return std::make_unique<LibZipReader>(path, *file, *std::move(archive), std::move(names));
}

absl::Status WriteZip(const std::string& path, absl::Span<const ZipEntry> entries,
                      const ZipOptions& options) {
  const absl::StatusOr<std::unique_ptr<NewFile>> file = NewFile::Create(path);
  if (!file.ok()) return file.status();
  int code = 0;
  Archive archive(zip_open((*file)->path().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (archive == nullptr) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be written: ", MessageOf(code)));
  }
  const auto failed = [&] {
    return absl::UnavailableError(
        absl::StrCat(path, ": cannot be written: ", zip_strerror(archive.get())));
  };
  for (const ZipEntry& entry : entries) {
    zip_source_t* source =
        zip_source_buffer(archive.get(), entry.data.data(), entry.data.size(), /*freep=*/0);
    if (source == nullptr) return failed();
    const zip_int64_t index =
        zip_file_add(archive.get(), entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return failed();
    }
    const zip_int32_t method = options.compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
    if (zip_set_file_compression(archive.get(), index, method, 0) != 0) return failed();
  }
  if (zip_close(archive.get()) != 0) return failed();
  static_cast<void>(archive.release());  // zip_close has freed it
  return (*file)->Commit();
}

}  // namespace limpid::internal
