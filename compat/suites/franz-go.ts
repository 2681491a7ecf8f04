/**
 * franz-go, a client in Go, and the tests of its package `kgo` (github.com/twmb/franz-go). About a quarter of them need a broker:
 * chains of groups that copy topics, with members that come and go, in all protocols and in transactions; offsets, pausing,
 * regular expressions, compression, and refusals that a client must live with.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { canRun, mustRun, runCommand } from '../command.ts'
import { readGoTests } from '../go-tests.ts'
import { SASL_USER } from '../sasl.ts'
import type { Suite, SuiteContext } from '../suite.ts'

const VERSION = '1.22.3'
const BUILD_TIMEOUT_MS = 1_200_000
const TEST_TIMEOUT_MS = 3_600_000

/** Records in each of the twelve chains unless `KGO_TEST_RECORDS` says otherwise; franz-go's own default is 500,000. */
const CHAIN_RECORDS = { long: 20_000, short: 2000 }

/** They want a broker that asks for SASL. */
const SASL_TESTS = ['TestSCRAMAuth', 'TestSCRAMAuthBadCredentials', 'TestOAuthAuth']

const run: Suite['run'] = async (context) => {
  const { bootstrapServers, isShort, scratch, signal } = context
  const { program, folder } = await build(context)
  const tests = (await mustRun(program, ['-test.list', '.'], { timeoutMs: TEST_TIMEOUT_MS, signal })).stdout
  const wanted = tests.split('\n').filter((test) => test.startsWith('Test') && isWanted(context, test))
  if (wanted.length === 0) return
  context.progress(`runs ${wanted.length} tests of kgo ${VERSION}`)
  const secured = wanted.some((test) => SASL_TESTS.includes(test))
    ? await context.startAnother({ hasSasl: true })
    : undefined
  const results = readGoTests(context, wanted)
  const patterns = ['-test.v=test2json', `-test.run=^(${wanted.join('|')})$`, `-test.timeout=${TEST_TIMEOUT_MS}ms`]
  await runCommand(program, patterns, {
    cwd: join(folder, 'pkg/kgo'),
    env: {
      KGO_SEEDS: bootstrapServers,
      ...(secured === undefined ? {} : saslAt(secured)),
      KGO_TEST_RF: '1',
      KGO_TEST_UNSAFE: '1',
      KGO_TEST_RECORDS: process.env['KGO_TEST_RECORDS'] ?? String(CHAIN_RECORDS[isShort ? 'short' : 'long']),
    },
    timeoutMs: TEST_TIMEOUT_MS,
    signal,
    log: join(scratch, 'kgo.log'),
    onLine: results.onLine,
  })
  results.end()
}

const saslAt = (servers: string): NodeJS.ProcessEnv => ({
  KGO_TEST_SCRAM_SEEDS: servers,
  KGO_TEST_SCRAM: `${SASL_USER.name}:${SASL_USER.password}:256`,
  KGO_TEST_OAUTH_SEEDS: servers,
})

/** `--only` may name a test within a test: TestGroupETL/range. */
function isWanted(context: SuiteContext, test: string): boolean {
  return context.only === undefined || context.only.some((name) => name === test || name.startsWith(`${test}/`))
}

/** Fetches the module through Go's module proxy, as `go env GOPROXY` has it, and compiles the tests of `kgo`. */
async function build(context: SuiteContext): Promise<{ program: string; folder: string }> {
  const { cache, signal } = context
  mkdirSync(join(cache, 'modules'), { recursive: true })
  const options = {
    cwd: cache,
    // Without write protection, so that users can remove the cache as any other folder.
    env: { GOMODCACHE: join(cache, 'modules'), GOFLAGS: '-modcacherw -buildvcs=false' },
    timeoutMs: BUILD_TIMEOUT_MS,
    signal,
  }
  const { stdout } = await mustRun('go', ['mod', 'download', '-json', `github.com/twmb/franz-go@v${VERSION}`], options)
  const folder = (JSON.parse(stdout) as { Dir: string }).Dir
  const program = join(cache, `kgo-${VERSION}.test`)
  if (!existsSync(program)) {
    context.progress(`compiles the tests of kgo ${VERSION}`)
    await mustRun('go', ['test', '-c', '-vet=off', '-o', program, './pkg/kgo'], { ...options, cwd: folder })
  }
  return { program, folder }
}

export const franzGo: Suite = {
  name: 'franz-go',
  summary: `tests of kgo, a client in Go (github.com/twmb/franz-go ${VERSION}), where Go is installed`,
  isQuiet: true,
  whyNot: async () => ((await canRun('go', ['version'])) ? undefined : 'Go is not installed'),
  run,
}
