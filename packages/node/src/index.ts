export * from './containerd/start.ts';
export * from './image/built-in-images.ts';
