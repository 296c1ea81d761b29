//! Choosing a device at run time.

use burn::backend::DispatchDevice;
use burn::tensor::Device;

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Neither `cpu` nor `cuda:N`.
    #[error("unknown device \"{found}\"; use cpu or cuda:0")]
    Unknown {
        /// What was asked for.
        found: String,
    },
    /// The binary has no CUDA support.
    #[error("this build has no CUDA support; build with --features cuda, or use --device cpu")]
    NotCompiledIn,
    /// The machine has too few GPUs.
    #[error("there is no GPU {index}: {n_found} found by the CUDA driver; use --device cpu")]
    NoGpu {
        /// The GPU asked for.
        index: usize,
        /// How many there are.
        n_found: usize,
    },
}

/// The device called `name`: `cpu`, `cuda` or `cuda:N`.
///
/// # Errors
/// An unknown name, a build without CUDA, a machine without that GPU.
pub fn open_device(name: &str) -> Result<Device, DeviceError> {
    let unknown = || DeviceError::Unknown { found: name.to_string() };
    match name.split_once(':').unwrap_or((name, "0")) {
        ("cpu", "0") => Ok(Device::flex()),
        ("cuda", index) => open_cuda(index.parse().map_err(|_| unknown())?),
        _ => Err(unknown()),
    }
}

#[cfg(feature = "cuda")]
fn open_cuda(index: usize) -> Result<Device, DeviceError> {
    let n_found = Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec().len();
    if index < n_found { Ok(Device::cuda(index)) } else { Err(DeviceError::NoGpu { index, n_found }) }
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_index: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotCompiledIn)
}

/// Whether the fused CPU operations apply to tensors on `device`.
pub(crate) fn is_cpu(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Flex(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood_or_refused() {
        assert!(is_cpu(&open_device("cpu").unwrap()));
        assert!(is_cpu(&open_device("cpu").unwrap().autodiff()));
        for bad in ["gpu", "cpu:1", "cuda:x", ""] {
            assert_eq!(open_device(bad).unwrap_err(), DeviceError::Unknown { found: bad.into() });
        }
        #[cfg(not(feature = "cuda"))]
        assert_eq!(open_device("cuda:0").unwrap_err(), DeviceError::NotCompiledIn);
    }
}
