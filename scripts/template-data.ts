/** Regenerates the small decision logs of the templates, and a set of actions and a snapshot; the same bytes every time. Run it when a template's actions change. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { exponential, normal } from '../src/math/distributions.ts'
import { type Rng, stream } from '../src/math/rng.ts'

const START = Date.UTC(2026, 9, 1)
const STEP_MS = 9 * 60_000

interface Row {
  readonly context: readonly (string | number)[]
  readonly actions: readonly string[]
  readonly probabilities: readonly number[]
  /** How likely each is to be worth 1. */
  readonly purchase: readonly number[]
}

async function write(
  template: string,
  fields: readonly string[],
  rows: number,
  players: number,
  row: (rng: Rng, player: Rng) => Row,
  [action, reward] = ['offer', 'purchase'],
) {
  const rng = stream(2026, 'template', template)
  const lines = [['decision_id', 'ts', 'player', ...fields, action, 'propensity', reward].join(',')]
  for (let i = 0; i < rows; i++) {
    const player = Math.floor(rng.uniform() * players)
    const { context, actions, probabilities, purchase } = row(rng, stream(2026, template, player))
    let at = 0
    for (let u = rng.uniform() - probabilities[0]; u >= 0 && at < actions.length - 1; u -= probabilities[at]) at++
    const ts = new Date(START + i * STEP_MS).toISOString()
    const came = rng.uniform() < purchase[at] ? 1 : 0
    lines.push([`d${i}`, ts, `p${player}`, ...context, actions[at], probabilities[at], came].join(','))
  }
  await writeFile(`templates/${template}/data/decisions.csv`, `${lines.join('\n')}\n`)
}

await write('bandit', [], 4000, 1500, () => ({
  context: [],
  actions: ['none', 'gold-small', 'gold-large', 'booster'],
  probabilities: [0.25, 0.25, 0.25, 0.25],
  purchase: [0.02, 0.09, 0.05, 0.04],
}))

const logistic = (z: number) => 1 / (1 + Math.exp(-z))
const twoDigits = (x: number) => Math.round(100 * x) / 100

await write('contextual-bandit', ['level', 'platform', 'spend_30d'], 4000, 1500, (_, player) => {
  const level = 5 + Math.floor(40 * exponential(player))
  const platform = player.uniform() < 0.55 ? 'ios' : 'android'
  const spend = Math.round(100 * Math.exp(0.5 + 1.5 * normal(player))) / 100
  const bundle = level >= 20 && platform === 'ios'
  return {
    context: [level, platform, spend],
    actions: bundle ? ['none', 'gold-small', 'bundle'] : ['none', 'gold-small'],
    probabilities: bundle ? [0.4, 0.4, 0.2] : [0.5, 0.5],
    purchase: [
      logistic(-3.5),
      logistic(-2.5 + 0.01 * level + (platform === 'ios' ? 0.6 : -0.4)),
      logistic(spend >= 5 ? -0.5 : -4),
    ],
  }
})

const GENRES = ['puzzle', 'card', 'arcade', 'word']
/** By platform: how much its players like each genre. */
const TASTES: Readonly<Record<string, readonly number[]>> = {
  ios: [0.9, -0.5, 0.2, 0],
  android: [-0.4, 0.8, 0.5, -0.6],
}

const ofLevels = stream(2026, 'levels')
const levels = Array.from({ length: 200 }, (_, i) => ({
  id: `level-${String(i + 1).padStart(3, '0')}`,
  genre: Math.floor(4 * ofLevels.uniform()),
  difficulty: twoDigits(ofLevels.uniform()),
  minutes: Math.round(20 + 100 * exponential(ofLevels)) / 10,
  appeal: 0.3 * normal(ofLevels),
}))
const rows = levels.map(({ id, genre, difficulty, minutes }) =>
  [id, GENRES[genre], difficulty, minutes, '', ''].join(','),
)
const header = 'level,genre,difficulty,minutes,open_from,open_until'
await writeFile('templates/personalisation/data/levels.csv', `${[header, ...rows].join('\n')}\n`)

await write(
  'personalisation',
  ['platform', 'skill'],
  6000,
  1500,
  (_, player) => {
    const platform = player.uniform() < 0.55 ? 'ios' : 'android'
    const skill = twoDigits(player.uniform())
    return {
      context: [platform, skill],
      actions: levels.map(({ id }) => id),
      probabilities: levels.map(() => 1 / levels.length),
      purchase: levels.map(({ genre, difficulty, appeal }) =>
        logistic(-2 + TASTES[platform][genre] - 2 * (difficulty - skill) * (difficulty - skill) + appeal),
      ),
    }
  },
  ['level', 'played'],
)

// Lists are logged by the world of their own scenario, and learnt from.
const folder = await mkdtemp(join(tmpdir(), 'dap-template-'))
const dap = (...words: readonly string[]) =>
  execa(process.execPath, [join(import.meta.dirname, '..', 'bin', 'dap.js'), ...words], { cwd: folder })
const recommendation = 'templates/recommendation'
const decisions = 'data/decisions.jsonl'
const snapshot = 'snapshots/home-row.json'
await dap('init', '.', '--name', 'shop', '--template', 'recommendation')
await dap('simulate', '--log', decisions, '--log-policy', 'shuffled')
const log = gzipSync(await readFile(join(folder, decisions)), { level: 9 })
for (const place of [folder, recommendation]) await writeFile(join(place, `${decisions}.gz`), log)
await dap('train', 'home-row', '--dataset', 'last-month', '--holdout', '0.5')
await copyFile(join(folder, snapshot), join(recommendation, snapshot))
await rm(folder, { recursive: true })
