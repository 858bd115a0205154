// Child process of part `devnet`: loads libp2p and ethers as a relayer does, and does nothing.
import '@chainsafe/libp2p-noise'
import '@chainsafe/libp2p-yamux'
import '@libp2p/identify'
import '@libp2p/kad-dht'
import '@libp2p/ping'
import '@libp2p/tcp'
import 'ethers'
import 'libp2p'

console.log('loaded')
setInterval(() => {}, 60_000)
