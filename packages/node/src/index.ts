export { type NodeAgentOptions, startNodeAgent } from './agent.ts';
export {
  type ContainerdOptions,
  containerdSocket,
  type RunningContainerd,
  startContainerd,
} from './containerd/start.ts';
export { HELLO_IMAGE, HELLO_IMAGE_NEXT, PAUSE_IMAGE, writeBuiltInImages } from './image/built-in-images.ts';
export { buildOciArchive, type ImageDescription, type ImageFile } from './image/oci-archive.ts';
