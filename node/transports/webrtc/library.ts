// The part of @libp2p/webrtc between a data channel and a libp2p connection: the noise handshake over channel 0, and streams over the others.
// The package exports whole transports only, and its listener cannot be told of version 2 nor be limited, so these two come from the files
// themselves. It is pinned to one version, and the compiler checks the shapes.

export { DataChannelMuxerFactory } from '../../../node_modules/@libp2p/webrtc/dist/src/muxer.js'
export { connect } from '../../../node_modules/@libp2p/webrtc/dist/src/private-to-public/utils/connect.js'
