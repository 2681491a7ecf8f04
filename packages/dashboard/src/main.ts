/** Start of the dashboard: keeps what the page shows, and draws it whenever the server sends something. */
import { render } from 'preact'
import { App } from './app.ts'
import type { Ask, HistoryPoint, Status, View } from './data.ts'
import { html } from './html.ts'
import { Stream } from './stream.ts'

const MOST_POINTS = 300
const MOST_EARLIER = 10
const TOKEN = 'millrace-token'

let view: View = { connection: 'connecting', status: undefined, before: undefined, history: {}, earlier: {} }

function show(changes: Partial<View>): void {
  view = { ...view, ...changes }
  render(html`<${App} view=${view} unlock=${unlock} ask=${ask} />`, document.body)
}

function unlock(token: string): void {
  sessionStorage.setItem(TOKEN, token)
  show({ connection: 'connecting' })
  stream.unlock(token)
}

/** With what ended the runs of pipelines that have been started again. */
function earlierOf({ pipelines }: Status): View['earlier'] {
  const earlier = { ...view.earlier }
  for (const { name, startedAt, failures } of view.status?.pipelines ?? []) {
    const again = pipelines.find((each) => each.name === name)
    if (again === undefined || again.startedAt === startedAt) continue
    const fatal = failures.filter(({ fate }) => fate === 'fatal')
    earlier[name] = [...fatal, ...(earlier[name] ?? [])].slice(0, MOST_EARLIER)
  }
  return earlier
}

const ask: Ask = (query) => stream.ask(query)

/** The history with the latest second of each pipeline. */
function grown({ pipelines }: Status): View['history'] {
  const history: { [pipeline: string]: readonly HistoryPoint[] } = { ...view.history }
  for (const { name, now } of pipelines) {
    const points = history[name] ?? []
    if (now !== undefined && now.at > (points.at(-1)?.at ?? 0)) history[name] = [...points, now].slice(-MOST_POINTS)
  }
  return history
}

document.documentElement.dataset['theme'] = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
show({})
const stream = new Stream(
  {
    onHistory: (history) => show({ history, connection: 'live' }),
    onStatus: (status) =>
      show({ status, before: view.status, history: grown(status), earlier: earlierOf(status), connection: 'live' }),
    onLost: () => show({ connection: 'lost' }),
    onLocked: () => show({ connection: 'locked' }),
  },
  sessionStorage.getItem(TOKEN) ?? undefined,
)
