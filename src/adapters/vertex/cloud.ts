/** Vertex AI as what deploying asks of a cloud. What takes its time is a long-running operation, which is awaited here, or found again. */
import type { Cloud, Place } from '../../deploy/cloud.ts'
import { readPatiently } from '../../deploy/reads.ts'
import { READS, type VertexApi } from './api.ts'
import { finish, finishAll } from './operations.ts'
import { vertexApi } from './requests.ts'

/** The cloud of a place. */
export async function vertexCloud(place: Place, environment: (name: string) => string | undefined): Promise<Cloud> {
  return cloudOver(await vertexApi(place, environment))
}

/** `api` is that of one try, `patient` the one that reads as often as it takes. */
export function cloudOver(api: VertexApi, patient = api): Cloud {
  return {
    place: api.place,
    patiently: patience => cloudOver(api, patience && readPatiently(api, READS, patience)),

    listEndpoints: () => patient.listEndpoints(),
    getEndpoint: id => patient.getEndpoint(id),
    createEndpoint: async (id, endpoint, waiting) =>
      finish(patient, await patient.createEndpoint(id, endpoint), waiting),
    updateEndpoint: (id, update) => patient.updateEndpoint(id, update),
    deleteEndpoint: async (id, waiting) => finish(patient, await patient.deleteEndpoint(id), waiting),

    deployModel: async (endpoint, model, waiting) =>
      finish(patient, await patient.deployModel(endpoint, model), waiting),
    undeployModel: async (endpoint, model, waiting) =>
      finish(patient, await patient.undeployModel(endpoint, model), waiting),
    mutateDeployedModel: async (endpoint, model, scale, waiting) =>
      finish(patient, await patient.mutateDeployedModel(endpoint, model, scale), waiting),

    listModels: () => patient.listModels(),
    listVersions: model => patient.listVersions(model),
    uploadModel: async (model, version, waiting) => finish(patient, await patient.uploadModel(model, version), waiting),
    updateVersion: (model, version, update) => patient.updateVersion(model, version, update),
    setDefaultVersion: (model, version) => patient.setDefaultVersion(model, version),
    deleteVersion: async (model, version, waiting) =>
      finish(patient, await patient.deleteVersion(model, version), waiting),
    deleteModel: async (model, waiting) => finish(patient, await patient.deleteModel(model), waiting),

    async settle({ endpoint, model }, waiting) {
      await finishAll(patient, { endpoint }, waiting)
      await finishAll(patient, { model }, waiting)
    },

    putObject: (name, text) => patient.putObject(name, text),
    listObjects: prefix => patient.listObjects(prefix),
    getObject: (name, maxBytes) => patient.getObject(name, maxBytes),
    deleteObject: name => patient.deleteObject(name),
    requests: (endpoint, model, from, to) => patient.requests(endpoint, model, from, to),
  }
}
