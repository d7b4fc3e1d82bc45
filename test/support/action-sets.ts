import { resource } from './repository.ts'

/** A policy over a set of four levels, of which one is for Christmas and one is over. */
export const LEVELS = {
  'dap.yaml': resource('Project', 'levels', 'projectId: abcdefgh23456789'),
  'action-sets/levels.yaml': resource(
    'ActionSet',
    'levels',
    `file: data/levels.csv
format: csv
id: levelId
features:
  genre: { type: string, enum: [puzzle, card] }
  difficulty: { type: number, minimum: 0 }
from: validFrom
until: validUntil`,
  ),
  'data/levels.csv': `levelId,genre,difficulty,validFrom,validUntil,title
level-1,puzzle,1,,,"One, the first"
level-2,card,2.5,,,Two
level-3,puzzle,4,2026-12-24,2027-01-07,Snow
level-4,card,8,,2026-11-01T12:00:00+02:00,Old
`,
  'policies/next-level.yaml': resource(
    'Policy',
    'next-level',
    `unit: playerId
context:
  playerId: { type: string, maxLength: 64 }
  level: { type: integer, minimum: 1, default: 1 }
  platform: { type: string, enum: [ios, android] }
features:
  - { action: genre }
  - { action: difficulty }
  - { cross: [platform, action.genre] }
actions:
  set: levels
  eligible: action.difficulty <= double(ctx.level)
algorithm:
  learner: { type: linear, shared: true }
  exploration: { type: thompson }
guardrails: { minProbability: 0.0001 }
reward: { name: completed, type: binary, wait: 24h, default: 0 }`,
  ),
}
