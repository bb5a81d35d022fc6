"""`neoverse-benchmark`: benchmarks with their own cameras, so that other methods can be measured beside this one."""

from nerfstudio.plugins.registry_dataparser import DataParserSpecification

from neoverse_ns.plugin.benchmark.other_methods import BenchmarkDataParserConfig

neoverse_benchmark = DataParserSpecification(
    config=BenchmarkDataParserConfig(),
    description="A protocol's inputs and targets in a benchmark's folder, with the data set's own cameras.",
)
