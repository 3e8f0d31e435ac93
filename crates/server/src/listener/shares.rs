//! How many connections a network has at the same time: one that opens all that there are would keep
//! everybody else waiting outside. This machine's own, as behind a proxy, are not counted.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::auth::limits::network;

/// The connections of each network that has any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Shares,
    /// None: it is not counted.
    network: Option<IpAddr>,
}

impl Shares {
    /// Counts a connection of `address`; `None`: its network has `most`.
    pub(crate) fn take(&self, address: IpAddr, most: usize) -> Option<Share> {
        let address = address.to_canonical();
        let network = (!address.is_loopback()).then(|| network(address));
        if let Some(network) = network {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(network).or_default();
            if *count >= most {
                return None;
            }
            *count = count.saturating_add(1);
        }
        Some(Share {
            shares: self.clone(),
            network,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut counts = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn a_network_has_its_share_and_leaves_nothing_behind() {
        let shares = Shares::default();
        let take = |address: &str| shares.take(address.parse().unwrap(), 2);
        let held = [take("192.0.2.1"), take("::ffff:192.0.2.1")];
        assert!(held.iter().all(Option::is_some));
        assert!(take("192.0.2.1").is_none());
        // Neither are others held up by it, nor a proxy on this machine.
        let other = take("192.0.2.2");
        let own: Vec<_> = (0..10)
            .flat_map(|_| [take("127.0.0.1"), take("::1")])
            .collect();
        assert!(other.is_some() && own.iter().all(Option::is_some));
        // An IPv6 network of 64 bits is one.
        let six = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(six.iter().all(Option::is_some) && take("2001:db8::3").is_none());
        drop((held, six));
        assert!(take("192.0.2.1").is_some() && take("2001:db8::3").is_some());
        drop((other, own));
        assert!(shares.0.lock().unwrap().is_empty());
    }
}
