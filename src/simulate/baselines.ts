/** Policies that every Scenario may play without a file. */
export const BASELINES = ['uniform', 'oracle'] as const
export type Baseline = (typeof BASELINES)[number]

export const isBaseline = (name: string): name is Baseline => BASELINES.some(each => each === name)
