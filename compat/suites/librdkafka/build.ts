/** librdkafka and its tests: fetched from npm and compiled, once for each version. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { type CommandOptions, mustRun } from '../../command.ts'
import type { SuiteContext } from '../../suite.ts'

/** The package that carries the sources of librdkafka with its tests, which no package of librdkafka's own does. */
const PACKAGE = '@confluentinc/kafka-javascript'
const PACKAGE_VERSION = '1.10.1'
const LIBRDKAFKA = join('package', 'deps', 'librdkafka')
/** What the library can do without; tests that need OpenSSL skip themselves where it is missing. */
const CONFIGURE = ['--disable-curl', '--disable-sasl', '--disable-syslog']
const BUILD_TIMEOUT_MS = 1_800_000

/**
 * Fetches and builds what is missing. The package's install scripts do not run.
 *
 * @returns the folder of librdkafka, in which everything is built
 */
export async function build(context: SuiteContext): Promise<string> {
  // The suites that run these tests share them.
  const folder = join(dirname(context.cache), 'librdkafka', PACKAGE_VERSION)
  const library = join(folder, LIBRDKAFKA)
  if (existsSync(folder)) return library
  const unfinished = `${folder}.${process.pid}.unfinished`
  mkdirSync(unfinished, { recursive: true })
  const options = (cwd: string): CommandOptions => ({
    cwd,
    timeoutMs: BUILD_TIMEOUT_MS,
    signal: context.signal,
    log: join(context.scratch, 'build.log'),
  })
  try {
    context.progress(`fetching ${PACKAGE} ${PACKAGE_VERSION}`)
    await mustRun('npm', ['pack', '--ignore-scripts', `${PACKAGE}@${PACKAGE_VERSION}`], options(unfinished))
    const archive = readdirSync(unfinished).find((file) => file.endsWith('.tgz'))!
    await mustRun('tar', ['-xzf', archive, LIBRDKAFKA], options(unfinished))
    const sources = options(join(unfinished, LIBRDKAFKA))
    context.progress('building librdkafka and its tests, which takes some minutes')
    await mustRun('./configure', CONFIGURE, sources)
    const jobs = `-j${availableParallelism()}`
    await mustRun('make', [jobs, 'libs'], sources)
    await mustRun('make', [jobs, '-C', 'tests', 'build'], sources)
    // Another process may have built the same meanwhile; either copy will do.
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return library
}

/** Compiles the Java clients that some tests start beside those of librdkafka; they would do it themselves, at the same time. */
export async function buildJava(context: SuiteContext, library: string, kafkaPath: string): Promise<void> {
  await mustRun('make', ['-s', '-C', 'java', 'all'], {
    cwd: join(library, 'tests'),
    env: { KAFKA_PATH: kafkaPath },
    timeoutMs: BUILD_TIMEOUT_MS,
    signal: context.signal,
    log: join(context.scratch, 'build.log'),
  })
}
