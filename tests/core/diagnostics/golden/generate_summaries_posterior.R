# Writes summaries_posterior.txt: what the R package posterior finds for the data of summaries.txt.
#
# Made once on Debian 12 (R 4.2, posterior 1.4.0) with
#
#   apt install r-cran-posterior
#   Rscript --vanilla generate_summaries_posterior.R > summaries_posterior.txt
#
# Format: for each case one line: its name and the statistics in the order of summaries.txt, without
# the last two, for which posterior has no function. nan stands where it defines none.
suppressPackageStartupMessages(library(posterior))

statistics <- function(x) {
  quantiles <- c(0.05, 0.5, 0.95)
  c(mean(x), stats::sd(x), stats::quantile(x, quantiles), mcse_mean(x), mcse_sd(x),
    mcse_quantile(x, quantiles), rhat(x), ess_bulk(x), ess_tail(x), ess_mean(x))
}

file <- file("summaries.txt", "r")
while (length(header <- readLines(file, 1)) > 0) {
  header <- strsplit(header, " ")[[1]]
  readLines(file, 1)
  chains <- as.integer(header[2])
  x <- matrix(scan(file, nlines = chains, quiet = TRUE), ncol = chains)
  found <- suppressWarnings(statistics(x))
  cat(paste(c(header[1], ifelse(is.na(found), "nan", sprintf("%.17g", found))), collapse = " "), "\n",
      sep = "")
}
