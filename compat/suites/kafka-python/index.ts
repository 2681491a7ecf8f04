/**
 * kafka-python, a client in Python, and the integration tests of its sdist: producing and consuming with all codecs, groups,
 * transactions, and many requests of administrators.
 *
 * Its fixtures start Apache Kafka from a folder unless there is a broker at `KAFKA_URI`; the tests with SASL and TLS then skip.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canRun, describeFailure, mustRun, runCommand } from '../../command.ts'
import type { Outcome, Suite, SuiteContext } from '../../suite.ts'

const VERSION = '3.0.12'
const PACKAGES = [
  'pytest==9.2.0',
  'pytest-mock==3.17.0',
  'pytest-timeout==2.4.0',
  'py==1.11.0',
  'crc32c==2.9.post0',
  'lz4==4.4.5',
  'python-snappy==0.7.3',
  'zstandard==0.25.0',
]

const FETCH_TIMEOUT_MS = 600_000
const SUITE_TIMEOUT_MS = 3_600_000

const run: Suite['run'] = async (context) => {
  const { bootstrapServers, scratch, signal } = context
  const python = await environment(context)
  const folder = await sources(context, python)
  const results = join(scratch, 'results.jsonl')
  const files = context.only?.map((name) => `test/integration/${name}`) ?? ['test/integration']
  // A test that hangs fails, instead of ending all.
  const args = ['-m', 'pytest', '-q', '-p', 'external_broker', '--timeout-method=signal', ...files]
  const ended = await runCommand(python, args, {
    cwd: folder,
    env: {
      PYTHONPATH: import.meta.dirname,
      PYTHONDONTWRITEBYTECODE: '1',
      COMPAT_RESULTS: results,
      KAFKA_URI: `kafka://${bootstrapServers.split(',')[0]}`,
      KAFKA_VERSION: '4.3.1',
      // Where Apache Kafka would be; the fixtures want a folder, and use nothing in it.
      KAFKA_ROOT: folder,
    },
    timeoutMs: SUITE_TIMEOUT_MS,
    signal,
    log: join(scratch, 'pytest.log'),
  })
  // 1: some tests failed.
  if (ended.code !== 0 && ended.code !== 1) throw new Error(describeFailure('pytest', ended, SUITE_TIMEOUT_MS))
  const lines = readFileSync(results, 'utf8').split('\n').slice(0, -1)
  for (const line of lines) context.report(JSON.parse(line) as Outcome)
}

/** A virtual environment with what the tests import. */
async function environment(context: SuiteContext): Promise<string> {
  const { cache, signal } = context
  const folder = join(cache, 'environment')
  const python = join(folder, 'bin/python')
  const mark = join(folder, `with-${VERSION}`)
  if (existsSync(mark)) return python
  context.progress('installs pytest, and libraries for compression')
  const options = { timeoutMs: FETCH_TIMEOUT_MS, signal }
  await mustRun('python3', ['-m', 'venv', '--clear', folder], options)
  await mustRun(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], options)
  mkdirSync(mark)
  return python
}

/** The unpacked sdist; only that has the tests. */
async function sources(context: SuiteContext, python: string): Promise<string> {
  const { cache, signal } = context
  const name = `kafka_python-${VERSION}`
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  context.progress(`fetches kafka-python ${VERSION}`)
  const options = { timeoutMs: FETCH_TIMEOUT_MS, signal }
  const part = join(cache, 'part')
  rmSync(part, { recursive: true, force: true })
  const sdist = ['--no-deps', '--no-binary', ':all:', '--dest', part, `kafka-python==${VERSION}`]
  await mustRun(python, ['-m', 'pip', 'download', '--quiet', ...sdist], options)
  await mustRun(python, ['-m', 'tarfile', '-e', join(part, `${name}.tar.gz`), part], options)
  renameSync(join(part, name), folder)
  return folder
}

export const kafkaPython: Suite = {
  name: 'kafka-python',
  summary: `integration tests of kafka-python ${VERSION}, a client in Python, where Python is installed`,
  // As its fixtures start Apache Kafka: topics that are created on first use have four partitions.
  broker: { defaultPartitions: 4, hasAcls: true },
  whyNot: async () =>
    (await canRun('python3', ['-c', 'import venv, ensurepip']))
      ? undefined
      : 'Python is not installed, or lacks venv (Debian: apt-get install python3-venv)',
  run,
}
