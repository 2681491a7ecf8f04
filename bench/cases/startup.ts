import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { millrace } from '../child.ts'
import { type CaseResult, median, type Numbers, type Race, round3 } from '../measure.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const STARTS = 20

/**
 * `millrace lint` as a whole process against a Node that does nothing, or against an older one; importing the library against
 * importing kafkajs; and what an installation of the package takes up.
 */
export async function startup({ progress, before }: Pick<Race, 'progress' | 'before'>): Promise<CaseResult> {
  const lint = (): string[] => [millrace(), 'lint', join(ROOT, 'examples', 'orders-etl.yaml')]
  const peer = before === undefined ? 'node' : 'lint-before'
  const peerArgs = before === undefined ? ['-e', '0'] : await before(async () => lint())
  const times = { lint: [] as number[], [peer]: [] as number[] }
  const run = (name: string): number => millisecondsOf(name === 'lint' ? lint() : peerArgs)
  // The first ones fill the caches of disk and compiler.
  for (const name of Object.keys(times)) run(name)
  for (let start = 0; start < STARTS; start++)
    for (const name of start % 2 === 0 ? ['lint', peer] : [peer, 'lint']) times[name]!.push(run(name))
  const milliseconds = { lint: round3(median(times.lint)), [peer]: round3(median(times[peer]!)) }
  progress(`lint ${milliseconds.lint.toFixed(0)} ms, ${peer} ${milliseconds[peer]!.toFixed(0)} ms`)
  const installedMegabytes = before === undefined ? { installedMegabytes: measureInstallation() } : {}
  const imported = before === undefined ? measureImports(progress) : undefined
  return {
    unit: 'milliseconds',
    ours: { lint: milliseconds.lint, ...imported?.ours },
    peers: { [peer]: milliseconds[peer]!, ...imported?.peers },
    ratios: { [`lint/${peer}`]: round3(milliseconds.lint / milliseconds[peer]!), ...imported?.ratios },
    ...(imported && { importedMegabytes: imported.megabytes }),
    ...installedMegabytes,
    samples: Object.fromEntries(Object.entries(times).map(([name, all]) => [name, all.map(round3)])),
  }
}

function millisecondsOf(args: readonly string[]): number {
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const milliseconds = performance.now() - start
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return milliseconds
}

/** What a program pays for importing a library: milliseconds of CPU, and the memory of the whole process, in 10^6 bytes. */
function measureImports(progress: (text: string) => void): {
  readonly ours: Numbers
  readonly peers: Numbers
  readonly ratios: Numbers
  readonly megabytes: Numbers
} {
  const names = ['millrace', 'kafkajs'] as const
  const program = (name: string): string => `
    const { user, system } = process.cpuUsage()
    await import('${name}')
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    console.log(JSON.stringify({ cpu: (userCPUTime + systemCPUTime - user - system) / 1000, megabytes: (maxRSS * 1024) / 1e6 }))`
  const cpu = { millrace: [] as number[], kafkajs: [] as number[] }
  const megabytes = { millrace: [] as number[], kafkajs: [] as number[] }
  for (let start = -1; start < STARTS; start++)
    for (const name of start % 2 === 0 ? names : names.toReversed()) {
      const args = ['--input-type=module', '-e', program(name)]
      const cost = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })) as {
        readonly cpu: number
        readonly megabytes: number
      }
      // The first ones fill the caches of the disk.
      if (start < 0) continue
      cpu[name].push(cost.cpu)
      megabytes[name].push(cost.megabytes)
    }
  const ours = round3(median(cpu.millrace))
  const peer = round3(median(cpu.kafkajs))
  progress(`import millrace ${ours.toFixed(0)} ms of CPU, kafkajs ${peer.toFixed(0)}`)
  return {
    ours: { import: ours },
    peers: { 'import-kafkajs': peer },
    ratios: { 'import/kafkajs': round3(ours / peer) },
    megabytes: { import: round3(median(megabytes.millrace)), 'import-kafkajs': round3(median(megabytes.kafkajs)) },
  }
}

/** Packs the package, installs it into an empty folder as a user would, and adds up what lies on the disk, in 10^6 bytes. */
function measureInstallation(): number {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-install-'))
  try {
    const pack = execFileSync('npm', ['pack', '--json', '--workspace', 'millrace', '--pack-destination', folder], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    const packed: unknown = JSON.parse(pack)
    const [first] = Array.isArray(packed) ? packed : Object.values(packed as object)
    const project = join(folder, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    const tarball = join(folder, (first as { filename: string }).filename)
    execFileSync('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error', tarball], {
      cwd: project,
      stdio: 'pipe',
    })
    return Math.round(bytesOnDisk(join(project, 'node_modules')) / 1e5) / 10
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function bytesOnDisk(path: string): number {
  const stat = lstatSync(path)
  const own = stat.blocks * 512
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesOnDisk(join(path, name)), own) : own
}
